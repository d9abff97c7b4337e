from .curves import draw_curves, draw_threshold_curve
from .local_backend import LocalVisBackend
from .overlays import (
    PICTURE_SIDE,
    heat_map_row,
    heat_overlay,
    legend,
    mask_overlay,
    photo_row,
    picture_sheet,
    write_picture,
)
from .tables import class_table

__all__ = [
    'PICTURE_SIDE', 'LocalVisBackend', 'class_table', 'draw_curves',
    'draw_threshold_curve', 'heat_map_row', 'heat_overlay', 'legend',
    'mask_overlay', 'photo_row',
    'picture_sheet', 'write_picture'
]
