# DigitScenes through image-level labels. Masks are used for scores only.
_base_ = ['cls.py', 'digit_scenes.py', '../evaluators.py']
train_pipeline = [
    dict(type='LoadPhoto'),
    # Digits are not mirrored: a mirrored 2 is no 2.
    dict(type='mmpretrain.RandomCrop', crop_size=64, padding=4,
         padding_mode='reflect'),
    # mmcv warns at every image with the default backend.
    dict(type='mmpretrain.ColorJitter', brightness=0.2, contrast=0.2,
         saturation=0.2, backend='cv2'),
    dict(type='mmpretrain.RandomErasing', erase_prob=0.5, mode='rand',
         min_area_ratio=0.02, max_area_ratio=0.16,
         fill_color=(127, 127, 127)),
    dict(type='PackImageLevelInputs'),
]
train_dataloader = dict(
    batch_size=32,
    num_workers=1,
    dataset=dict(_base_.digits_train, pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=50, num_workers=1, dataset=_base_.digits_val)
val_evaluator = _base_.label_evaluator
