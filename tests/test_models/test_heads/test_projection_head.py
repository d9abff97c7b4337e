"""Projection of class tokens; its parity is in ToCo's tests."""
import torch

from mmwsss.models.heads import ProjectionHead


def test_outputs_are_cosines_whose_lengths_are_not_trained():
    head = ProjectionHead(8, out_channels=6, hidden_channels=16,
                          bottleneck_channels=4)
    tokens = 100 * torch.randn(5, 8)
    output = head(tokens)
    assert output.shape == (5, 6) and output.abs().max() <= 1 + 1e-6
    head.last_direction.data *= 3
    torch.testing.assert_close(head(tokens), output)
    output.sum().backward()
    assert head.last_length.grad is None
    assert all(p.grad is not None for p in head.mlp.parameters())
