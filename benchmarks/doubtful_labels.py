"""Count how many wrong image-level labels stand high in the list of doubts.

A share of the photos (3%) gets one wrong label of a frequent class: half of
them lose a class (only photos with another one, so that each keeps a label),
half get one that is not there. Photos and classes are drawn from a seed. Among
the first 10, 20 and 50 photos of the list those with a wrong label are
counted, for several ways to turn probabilities into doubt; and how many stand
in a list that is cut at a share of the photos.

``python benchmarks/doubtful_labels.py configs/mmct_deit-tiny_voc.py
--cfg-options data_root=DIR pretrained=FILE`` prints the tables. With
``--write-labels`` the wrong labels become a label file, on which a localizer
can be trained, and with ``--checkpoint`` its scores are compared.
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
from mmwsss.apis.doubtful_labels import (
    localizer_scores,
    pretrained_features,
)
from mmwsss.apis.generation import sample_names, split_dataset
from mmwsss.evaluation.held_out_labels import held_out_probabilities
from mmwsss.files.json_files import write_json
from mmwsss.ops import label_doubt, most_doubtful
from mmwsss.registry import DATASETS


def flip(labels, frequent, share, seed):
    """Wrong labels and ``{photo: 'removed' or 'added'}``."""
    rng = np.random.default_rng(seed)
    labels, flipped = labels.copy(), {}
    count = max(2, round(share * len(labels)))
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


def list_lengths(doubt, flipped, share):
    """Photos and labels listed, flipped ones in the list and first 10."""
    listed = most_doubtful(doubt, share)
    photos = list(dict.fromkeys(listed[:, 0].tolist()))
    wrong = [photo in flipped for photo in photos]
    return [len(photos), len(listed), sum(wrong), sum(wrong[:10])]


def parse():
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument('config', help='config of a localizer')
    parser.add_argument('--write-labels', metavar='FILE.json',
                        help='only write the wrong labels of the first seed, '
                        'to train a localizer on them')
    parser.add_argument('--checkpoint', metavar='FILE',
                        help='weights of a localizer, whose scores are '
                        'compared; trained on the labels of one seed, name '
                        'that seed')
    parser.add_argument('--photos', type=at_least(20), help='only so many, '
                        'drawn anew for each seed; default: all')
    parser.add_argument('--wrong', type=float, default=0.03,
                        help='share of the photos, two at least, that get a '
                        'wrong label; default: %(default)s')
    parser.add_argument('--seeds', type=at_least(0), nargs='+',
                        default=[0, 1, 2])
    parser.add_argument('--frequent', type=float, default=1 / 6,
                        help='share of the photos that a frequent class is '
                        'on; default: %(default).3f')
    parser.add_argument('--lists', type=float, nargs='+',
                        default=[0.05, 0.1, 1.], metavar='SHARE',
                        help='shares of the photos that are listed')
    add_config_options(parser, 'override settings of the config')
    return parser.parse_args()


def draw(truth, args, seed):
    """Photos of a seed, their labels with wrong ones, and which are wrong."""
    photos = np.arange(len(truth))
    if args.photos:
        photos = np.sort(np.random.default_rng(seed).choice(
            photos, min(args.photos, len(photos)), replace=False))
    truth = truth[photos]
    frequent = np.flatnonzero(truth.sum(0) >= args.frequent * len(truth))
    return photos, *flip(truth, frequent, args.wrong, seed)


def add_row(table, name, counts):
    """The mean over the seeds and, of a few, each."""
    few = 1 < len(counts) <= 3
    table.add_row([*name, *(
        f'{np.mean(column):.2f}' + (f' {column}' if few else '')
        for column in zip(*counts))])


def main():
    """Measure, print."""
    args = parse()
    cfg = load_config(args.config, args.cfg_options)
    dataset = DATASETS.build(split_dataset(cfg, 'train'))
    truth, names = dataset.labels, dataset.metainfo['classes'][1:]
    if args.write_labels:
        photos, labels, _ = draw(truth, args, args.seeds[0])
        stems = sample_names(dataset)
        write_json(args.write_labels, {
            stems[photo]: [names[index] for index in np.flatnonzero(row)]
            for photo, row in zip(photos, labels)})
        return
    start = time.process_time()
    features = pretrained_features(cfg, 'train')
    print(f'features: {time.process_time() - start:.0f} s of CPU in this '
          'process, without those of the workers')
    scores = args.checkpoint and localizer_scores(
        cfg, 'train', args.checkpoint, names)
    drawn = [draw(truth, args, seed) for seed in args.seeds]
    start = time.process_time()
    sources = {'held out': [held_out_probabilities(features[photos], labels)
                            for photos, labels, _ in drawn]}
    print(f'regressions: {(time.process_time() - start) / len(drawn):.2f} s '
          'of CPU a seed')
    if args.checkpoint:
        sources['localizer'] = [scores[photos] for photos, _, _ in drawn]
    ways = PrettyTable(['probabilities', 'doubt', 'of 10', 'of 20', 'of 50',
                        'removed', 'added', 'flipped'])
    lists = PrettyTable(['probabilities', 'listed at most', 'photos listed',
                         'labels listed', 'flipped among these',
                         'in the first 10'])
    for source, found in sources.items():
        cases = [(one, labels, flipped) for one, (_, labels, flipped) in
                 zip(found, drawn)]
        for name, doubt in DOUBTS.items():
            add_row(ways, (source, name), [
                [*hits(doubt(one, labels), flipped), len(flipped)]
                for one, labels, flipped in cases])
        for share in args.lists:
            add_row(lists, (source, share), [
                list_lengths(label_doubt(one, labels), flipped, share)
                for one, labels, flipped in cases])
    print(ways, lists, sep='\n')


if __name__ == '__main__':
    run(main)
