from .blocks import (
    Chart,
    Code,
    Gallery,
    Matrix,
    Pictures,
    Report,
    Section,
    Table,
    Text,
)
from .charts import bars, curves
from .page import page
from .thumbnails import map_uri, mask_uri, photo_uri

__all__ = [
    'Chart', 'Code', 'Gallery', 'Matrix', 'Pictures', 'Report', 'Section',
    'Table', 'Text', 'bars', 'curves', 'map_uri', 'mask_uri', 'page',
    'photo_uri'
]
