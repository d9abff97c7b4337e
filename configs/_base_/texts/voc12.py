# What CLIP-ES (CVPR 2023) compares photos of PASCAL VOC with, as WeCLIP and
# ExCEL do: its prompt, other words for some classes, and words for the
# background that compete with the classes. Written to embeddings with
#   tools/extract_text_embeddings.py --config configs/clip_es_voc.py \
#       --weights CLIP
text_classes = 'voc12'
text_template = 'a clean origami {}.'
text_phrases = {
    'bird': 'bird avian',
    'chair': 'chair seat',
    'person': 'person with clothes,people,human',
    'tvmonitor': 'tvmonitor screen',
}
background_words = [
    'ground', 'land', 'grass', 'tree', 'building', 'wall', 'sky', 'lake',
    'water', 'river', 'sea', 'railway', 'railroad', 'keyboard', 'helmet',
    'cloud', 'house', 'mountain', 'ocean', 'road', 'rock', 'street',
    'valley', 'bridge', 'sign',
]
text_embeddings = 'data/text_embeddings_clip_es_voc12.npz'
