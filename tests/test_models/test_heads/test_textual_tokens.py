"""Class tokens from the names of the classes."""
import numpy as np
import torch
from mmct_nets import build_mmct, samples


def test_image_language_context(tmp_path):
    rng = np.random.default_rng(0)
    path = str(tmp_path / 'text.npz')
    np.savez(path, names=['red', 'blue'], model='test', prompt='{}',
             embeddings=rng.normal(size=(2, 16)).astype(np.float32))
    model = build_mmct(textual_tokens=dict(text_embeddings=path,
                                      image_context=True))
    torch.nn.init.normal_(model.textual_tokens.context[-1].weight)
    data = samples([1, 0])
    data[0].set_field(torch.randn(16), 'image_embedding')
    one = model.textual_tokens(data, 1)
    data[0].set_field(torch.randn(16), 'image_embedding')
    assert (model.textual_tokens(data, 1) - one).abs().max() > 1e-3
    assert not model.textual_tokens.embeddings.requires_grad


def test_what_all_class_names_share_makes_no_difference(tmp_path):
    own = np.eye(16)[0] * [[1.], [-1.]]
    common = np.eye(16)[1]
    tokens = []
    for shared in (0 * common, 5 * common):
        vectors = own + shared
        path = str(tmp_path / 'text.npz')
        np.savez(path, names=['red', 'blue'], model='test', prompt='{}',
                 embeddings=vectors.astype(np.float32))
        model = build_mmct(textual_tokens=dict(text_embeddings=path))
        tokens.append(model.textual_tokens(None, 1))
    torch.testing.assert_close(*tokens)
    one = build_mmct(textual_tokens=dict(text_embeddings=path))
    one.textual_tokens.embeddings = one.textual_tokens.embeddings[:1]
    assert torch.isfinite(one.textual_tokens(None, 1)).all()
