from .curves import draw_curves, draw_threshold_curve
from .overlays import (
    heat_map_row,
    heat_overlay,
    mask_overlay,
    picture_sheet,
    write_picture,
)
from .tables import class_table

__all__ = [
    'class_table', 'draw_curves', 'draw_threshold_curve', 'heat_map_row',
    'heat_overlay', 'mask_overlay', 'picture_sheet', 'write_picture'
]
