"""True masks cut into pieces by segments: the ceiling of SegmentVote.

    python benchmarks/true_segments.py SEGMENTS VOC/SegmentationClassAug OUT

No piece crosses the outline of an object, so that the vote errs in the class
of whole pieces alone. They are written as tools/extract_segments.py writes
superpixels; SegmentVote takes them with segments=OUT.
"""
import argparse
import os

import numpy as np

from mmwsss.files.masks import read_mask
from mmwsss.files.segments import read_segments, write_labels


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('segments', help='folder of superpixels (PNG)')
    parser.add_argument('masks', help='folder of true masks')
    parser.add_argument('out', help='folder to write to')
    args = parser.parse_args()
    for file in sorted(os.listdir(args.segments)):
        name, suffix = os.path.splitext(file)
        if suffix != '.png':
            continue
        mask = read_mask(os.path.join(args.masks, file))
        found = read_segments(args.segments, name, mask.shape)
        pieces = mask.ravel().astype(np.int64)
        pieces[found.pixels] += 256 * (1 + found.owners.numpy())
        labels = 1 + np.unique(pieces, return_inverse=True)[1]
        write_labels(os.path.join(args.out, file), labels.reshape(mask.shape))


if __name__ == '__main__':
    main()
