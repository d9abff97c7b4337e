#!/usr/bin/env python
"""Convert published weights of ResNet38: PSA's, MCTformer's, or MXNet's."""
from mmwsss.apis.command_line import converter_parser, parse_config, run
from mmwsss.conversion.convert import (
    convert_checkpoint,
    convert_resnet38_params,
)
from mmwsss.conversion.layouts import (
    RESNET38_CLS,
    RESNET38_MXNET,
    RESNET38_SEG,
)


def main() -> None:
    """Parse and convert."""
    parser = converter_parser(__doc__, reversible=True)
    parser.add_argument(
        '--network', choices=['cls', 'seg', 'imagenet'], required=True,
        help="cls: PSA's classifier, for a CAMLocalizer; seg: MCTformer's "
        'segmentor, for an EncoderDecoder with a DeepLabV1Head; imagenet: '
        "the .params of MXNet, for the config's backbone")
    args = parser.parse_args()
    if args.network == 'imagenet' and args.reverse:
        parser.error("--reverse: there is no writer of MXNet's files")
    cfg = parse_config(args)
    if args.network == 'imagenet':
        convert_resnet38_params(cfg, args.source, args.target, RESNET38_MXNET)
    else:
        layout = RESNET38_CLS if args.network == 'cls' else RESNET38_SEG
        convert_checkpoint(cfg, args.source, args.target, layout,
                           args.reverse)


if __name__ == '__main__':
    run(main)
