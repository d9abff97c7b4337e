# PASCAL VOC 2012: train on pseudo masks, test on the real ones.
_base_ = ['pseudo.py', 'voc12.py', 'voc12_submission.py']
pseudo_masks = 'work_dirs/mmct_voc/pseudo/train/masks'
train_dataloader = dict(dataset=dict(
    classes_of='VOC12ClsDataset',
    masks=pseudo_masks,
    data_root=_base_.data_root,
    data_prefix=dict(img_path='JPEGImages'),
    ann_file='ImageSets/Segmentation/train_aug.txt'))
val_dataloader = dict(dataset=_base_.voc12_test)
test_dataloader = val_dataloader
