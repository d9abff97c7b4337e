# SGD by epochs with polynomial decay: IRN, PSA, CNN classifiers, DeepLab-V1.
# The published scripts of PSA, IRN and MCTformer hand SGD the weight decay in
# the place of the momentum: they train with next to none.
_base_ = 'epochs.py'
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.1, momentum=0., weight_decay=1e-4))
param_scheduler = [
    dict(type='PolyLR', power=0.9, eta_min=0., begin=0, by_epoch=True,
         convert_to_iter_based=True)
]
train_cfg = dict(max_epochs=3)
