"""Photos of a single object, and maps of it."""
import torch


def red_square():
    """A grey photo with a red square, and a map that is too small for it."""
    image = torch.full((3, 32, 40), 128, dtype=torch.uint8)
    image[:, 8:24, 8:24] = torch.tensor([220, 20, 20]).view(3, 1, 1)
    image = (image + torch.randint(0, 6, image.shape, generator=torch
                                   .Generator().manual_seed(0))).byte()
    maps = torch.full((1, 32, 40), 0.05)
    maps[:, 9:22, 9:22] = 0.9
    return image, maps, torch.tensor([4])
