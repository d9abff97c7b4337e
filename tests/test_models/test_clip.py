"""CLIP's encoders, from weights in any layout."""
import pytest
import torch
from clip_files import hugging_face, mmseg, open_clip, openai
from parity_files import close

from mmwsss.models.clip import (
    CLIP_MEAN,
    CLIP_STD,
    build_image_encoder,
    build_text_encoder,
)
from mmwsss.models.clip_weights import read_clip_state_dict


@torch.no_grad()
@pytest.mark.parametrize('layout', [openai, open_clip, mmseg, hugging_face])
def test_encoders_of_every_layout(clip, tmp_path, layout):
    path = tmp_path / 'weights.pth'
    torch.save(layout(clip.state_dict()), path)
    state = read_clip_state_dict(path)
    build_text_encoder(state, path)
    if layout is mmseg:  # the text part alone
        return
    photos = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    mean, std = (torch.tensor(value).view(3, 1, 1)
                 for value in (CLIP_MEAN, CLIP_STD))
    want = clip.visual((photos / 255 - mean) / std)
    close(build_image_encoder(state, path)(photos),
          torch.nn.functional.normalize(want, dim=-1))
