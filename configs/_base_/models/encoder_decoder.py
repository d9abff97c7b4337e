# mmseg's segmentor, which a config gives a backbone and a head. Our parts are
# named with their scope, so that mmseg's own tools build them, too.
_base_ = 'imagenet_preprocessor.py'
model = dict(
    type='mmseg.EncoderDecoder',
    data_preprocessor=dict(pad_val=0, seg_pad_val=255),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
