# What CLIP-ES (CVPR 2023) compares photos of COCO with, as WeCLIP and
# ExCEL do: its prompt, other words for some classes, and words for the
# background that compete with the classes. Written to embeddings with
#   tools/extract_text_embeddings.py --config configs/clip_es_coco.py \
#       --weights CLIP
text_classes = 'coco80'
text_template = 'a clean origami {}.'
text_phrases = {
    # Five that the published codes call as VOC does.
    'motorcycle': 'motorbike',
    'airplane': 'aeroplane',
    'couch': 'sofa',
    'potted plant': 'pottedplant',
    'dining table': 'diningtable',
    'person': 'person with clothes,people,human',
    'bird': 'bird avian',
    'backpack': 'backpack,bag',
    'umbrella': 'umbrella,parasol',
    'handbag': 'handbag,purse',
    'tie': 'necktie',
    'snowboard': 'sknowboard',
    'baseball glove': 'glove',
    'spoon': 'dessertspoon',
    'chair': 'chair seat',
    'tv': 'tvmonitor screen',
    'remote': 'remote control',
    'hair drier': 'hairdrier,blowdrier',
}
background_words = [
    'ground', 'land', 'grass', 'tree', 'building', 'wall', 'sky', 'lake',
    'water', 'river', 'sea', 'railway', 'railroad', 'helmet', 'cloud',
    'house', 'mountain', 'ocean', 'road', 'rock', 'street', 'valley',
    'bridge',
]
text_embeddings = 'data/text_embeddings_clip_es_coco14.npz'
