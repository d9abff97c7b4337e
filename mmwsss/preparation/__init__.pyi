from .coco14 import convert_coco14
from .digit_scenes import write_digit_scenes
from .image_embeddings import extract_image_embeddings, find_images
from .openimages import convert_openimages
from .segments import extract_segments
from .text_embeddings import extract_text_embeddings
from .voc12 import convert_voc12

__all__ = [
    'convert_coco14', 'convert_openimages', 'convert_voc12',
    'extract_image_embeddings', 'extract_segments', 'extract_text_embeddings',
    'find_images', 'write_digit_scenes'
]
