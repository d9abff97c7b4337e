"""What a class looks like in a photo, added to its visual token."""
import pytest
import torch

from mmwsss.models.heads import VisualContext


def test_it_starts_as_nothing_and_learns():
    context = VisualContext(8, num_layers=3, last_layers=2)
    tokens, patches = torch.randn(2, 4, 8), torch.randn(2, 6, 8)
    for layer in range(3):
        assert torch.equal(context(layer, tokens, patches), tokens)
    context(2, tokens, patches).square().sum().backward()
    assert context.mlps[1][-1].weight.grad.abs().sum() > 0
    assert context.mlps[0][-1].weight.grad is None


def test_only_the_last_layers_have_it():
    context = VisualContext(8, num_layers=3, last_layers=1)
    torch.nn.init.normal_(context.mlps[0][-1].weight)
    tokens, patches = torch.randn(2, 4, 8), torch.randn(2, 6, 8)
    same = [torch.equal(context(layer, tokens, patches), tokens)
            for layer in range(3)]
    assert same == [True, True, False]


def test_it_is_the_mean_of_the_patches_that_look_like_the_class():
    context = VisualContext(8, num_layers=1, last_layers=1, sharpness=100.)
    context.mlps[0] = torch.nn.Identity()
    tokens = torch.eye(8)[None, :2]
    patches = torch.eye(8)[None, [0, 0, 1, 5]] * torch.tensor(
        [1., 3., 5., 7.])[:, None]
    added = context(0, tokens, patches) - tokens
    torch.testing.assert_close(added, tokens * torch.tensor(
        [2., 5.])[:, None])


@pytest.mark.parametrize('count', [0, 4])
def test_layers_that_are_not_there(count):
    with pytest.raises(ValueError, match=f'last_layers={count}: the network '
                       'has 3 layers'):
        VisualContext(8, num_layers=3, last_layers=count)
