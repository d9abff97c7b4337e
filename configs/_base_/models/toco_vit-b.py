# ToCo (CVPR 2023): the two contrasts.
_base_ = 'single_stage_vit-b.py'
model = dict(
    type='ToCo',
    patch_contrast=dict(similarity='abs'),  # section 3.2, supplement Table 1
    crop_contrast=dict(temperature=0.5),  # section 4.1
    num_crops=8, crop_size=96,  # its code
    teacher_momentum=0.9,  # section 4.1
    loss_weights=dict(ptc=0.2, ctc=0.5))  # lambda_1, lambda_2, section 4.1
