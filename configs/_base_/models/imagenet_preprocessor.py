# Photos in RGB, with ImageNet's mean and standard deviation. A model adds to
# what sizes they are padded.
imagenet = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
model = dict(
    data_preprocessor=dict(
        type='mmseg.SegDataPreProcessor', bgr_to_rgb=True, **imagenet))
