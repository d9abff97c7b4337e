# What VOC's evaluation server takes: tools/test.py ... --submission FILE.tgz
submission = dict(ann_file='ImageSets/Segmentation/test.txt',
                  folder='results/VOC2012/Segmentation/comp5_test_cls')
