# DeepLab-V1 on ResNet38d (MMCT supplement A): 30 epochs, lr 7e-4, ten times
# for new layers, poly 0.9; without weight decay, as MCTformer's script trains
# in effect.
_base_ = 'sgd_epochs.py'
optim_wrapper = dict(
    optimizer=dict(lr=7e-4, weight_decay=0.),
    paramwise_cfg=dict(custom_keys={'decode_head': dict(lr_mult=10.)}))
train_cfg = dict(max_epochs=30, val_interval=5)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
