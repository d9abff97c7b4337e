# ResNet38d as a classifier on image-level labels, 15 epochs (MMCT supplement
# A: PSA's settings), for any data set.
_base_ = ['models/imagenet_preprocessor.py', 'schedules/sgd_cls.py']
# tools/convert_weights.py resnet38_imagenet makes it from
# ilsvrc-cls_rna-a1_cls1000_ep-0001.params.
pretrained = 'data/resnet38_imagenet.pth'
model = dict(
    type='CAMLocalizer',
    data_preprocessor=dict(pad_val=0, size=(448, 448)),
    backbone=dict(type='ResNet38d', pretrained=pretrained),
    num_classes=20,
    dropout=0.5,
    # PSA's published infer_cls.py
    test_cfg=dict(scales=(0.5, 1.0, 1.5, 2.0), flip=True))
crop_pipeline = [
    dict(type='LoadPhoto'),
    # The longer side: 256 to 512 px (PSA's published train_cls.py).
    dict(type='mmseg.RandomResize', scale=(512, 512), ratio_range=(0.5, 1.0),
         keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmpretrain.ColorJitter', brightness=0.3, contrast=0.3,
         saturation=0.3, hue=0.1, backend='cv2'),
    dict(type='mmseg.RandomCrop', crop_size=(448, 448)),
    dict(type='PackImageLevelInputs'),
]
optim_wrapper = dict(optimizer=dict(weight_decay=5e-4))
train_cfg = dict(max_epochs=15)
