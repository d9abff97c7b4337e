"""Count how many wrong image-level labels stand high in the list of doubts.

A share of the photos (3%) gets one wrong label of a frequent class: half of
them lose a class (only photos with another one, so that each keeps a label),
half get one that is not there. Photos and classes are drawn from a seed. Among
the first 10, 20 and 50 photos of the list those with a wrong label are
counted, for several ways to turn probabilities into doubt.

``python benchmarks/doubtful_labels.py configs/mmct_deit-tiny_voc.py
--cfg-options data_root=DIR pretrained=FILE`` prints the table.
"""
import time

import numpy as np
from prettytable import PrettyTable

from mmwsss.apis import load_config
from mmwsss.apis.command_line import (
    Parser,
    add_config_options,
    at_least,
    run,
)
from mmwsss.apis.doubtful_labels import pretrained_features
from mmwsss.apis.generation import sample_names, split_dataset
from mmwsss.evaluation.held_out_labels import held_out_probabilities
from mmwsss.files.maps import read_map
from mmwsss.ops import label_doubt
from mmwsss.registry import DATASETS


def flip(labels, frequent, share, seed):
    """Wrong labels and ``{photo: 'removed' or 'added'}``."""
    rng = np.random.default_rng(seed)
    labels, flipped = labels.copy(), {}
    count = round(share * len(labels))
    left = dict(removed=count // 2, added=count - count // 2)
    for photo in rng.permutation(len(labels)):
        has = labels[photo, frequent] > 0
        if left['removed'] and has.any() and labels[photo].sum() > 1:
            kind, choice = 'removed', frequent[has]
        elif left['added'] and not has.all():
            kind, choice = 'added', frequent[~has]
        else:
            continue
        labels[photo, rng.choice(choice)] = kind == 'added'
        flipped[int(photo)] = kind
        left[kind] -= 1
    return labels, flipped


def plain_doubt(probabilities, labels):
    """The probability of the opposite."""
    return np.where(labels > 0, 1 - probabilities, probabilities)


def margin_doubt(probabilities, labels):
    """Confident learning's: how far below the class's mean confidence."""
    own = np.where(labels > 0, probabilities, 1 - probabilities)
    means = [np.nanmean(np.where(labels == value, own, np.nan), axis=0)
             for value in (0, 1)]
    return np.where(labels > 0, means[1], means[0]) - own


DOUBTS = {'as shipped': label_doubt, 'opposite probability': plain_doubt,
          'below class mean': margin_doubt}


def hits(doubt, flipped):
    """Flipped photos among the first 10, 20, 50; of the 50 by kind."""
    order = np.argsort(-np.nan_to_num(doubt, nan=-1.).max(1), kind='stable')
    found = [flipped.get(int(photo)) for photo in order[:50]]
    return [sum(map(bool, found[:10])), sum(map(bool, found[:20])),
            sum(map(bool, found)), found.count('removed'),
            found.count('added')]


def main():
    """Parse, measure, print."""
    parser = Parser(description=__doc__)
    parser.add_argument('config', help='config of a localizer')
    parser.add_argument('--maps', metavar='DIR', help='maps of a localizer, '
                        'whose scores are compared')
    parser.add_argument('--share', type=float, default=0.03)
    parser.add_argument('--seeds', type=at_least(1), default=3)
    parser.add_argument('--least', type=at_least(1), default=200,
                        help='photos of a frequent class; default: 200')
    add_config_options(parser, 'override settings of the config')
    args = parser.parse_args()
    cfg = load_config(args.config, args.cfg_options)
    dataset = DATASETS.build(split_dataset(cfg, 'train'))
    truth = dataset.labels
    frequent = np.flatnonzero(truth.sum(0) >= args.least)
    start = time.process_time()
    features = pretrained_features(cfg, 'train')
    print(f'features: {time.process_time() - start:.0f} s of CPU in this '
          'process, without those of the workers')
    scores = args.maps and np.stack([
        read_map(f'{args.maps}/{name}.npz').scores
        for name in sample_names(dataset)]).astype(float)
    table = PrettyTable(['probabilities', 'doubt', 'seed', 'of 10', 'of 20',
                         'of 50', 'removed', 'added', 'flipped'])
    for seed in range(args.seeds):
        labels, flipped = flip(truth, frequent, args.share, seed)
        start = time.process_time()
        held_out = held_out_probabilities(features, labels)
        print(f'regressions: {time.process_time() - start:.1f} s of CPU')
        for source, found in (('held out', held_out), ('localizer', scores)):
            for name, doubt in DOUBTS.items() if found is not None else ():
                table.add_row([source, name, seed, *hits(
                    doubt(found, labels), flipped), len(flipped)])
    print(table.get_string(sortby='doubt'))


if __name__ == '__main__':
    run(main)
