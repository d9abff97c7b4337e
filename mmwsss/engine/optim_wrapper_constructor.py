"""Learning rates by layer depth, and higher ones for new parts."""
from typing import Any, Dict, List, Tuple

from mmengine.logging import print_log
from mmengine.optim import DefaultOptimWrapperConstructor
from torch import nn

from mmwsss.registry import OPTIM_WRAPPER_CONSTRUCTORS

_OPTIONS = ('layer_decay_rate', 'new_lr_mult', 'new_keys')


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class TokenOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    """Parameter groups for a token ViT with new parts on top.

    Options in ``paramwise_cfg``:

    - ``layer_decay_rate`` (float): Layer ``i`` of the backbone's L layers
      gets ``lr * rate ** (L - i)``. Defaults to 1.
    - ``new_lr_mult`` (float): Factor for what is not pre-trained: everything
      outside ``backbone``. Defaults to 1.
    - ``new_keys`` (sequence of str): Parameters inside the backbone whose
      name contains one of these are new, too. Defaults to ().

    Weight decay is off for biases, norms, tokens and position embeddings.
    Parameters of equal options share one group.

    Example:
        >>> from mmwsss.registry import MODELS
        >>> arch = dict(embed_dims=32, num_layers=2, num_heads=2,
        ...             feedforward_channels=64)
        >>> model = nn.ModuleDict(dict(
        ...     backbone=MODELS.build(dict(type='TokenViT', arch=arch)),
        ...     head=nn.Linear(32, 20)))
        >>> construct = TokenOptimWrapperConstructor(
        ...     dict(optimizer=dict(type='AdamW', lr=0.001)),
        ...     paramwise_cfg=dict(layer_decay_rate=0.5, new_lr_mult=10))
        >>> groups = construct(model).optimizer.param_groups
        >>> sorted({group['lr'] for group in groups})
        [0.000125, 0.00025, 0.0005, 0.001, 0.01]
    """

    def _validate_cfg(self) -> None:
        unknown = set(self.paramwise_cfg) - set(_OPTIONS)
        if unknown:
            raise ValueError(f'paramwise_cfg: unknown {sorted(unknown)}; '
                             f'known: {list(_OPTIONS)}')

    def add_params(self, params: List[dict], module: nn.Module,
                   **kwargs: Any) -> None:
        """Group the parameters of the whole model.

        Args:
            params (list[dict]): The groups, which are added to this.
            module (nn.Module): A model whose ``backbone`` is a ViT.
            **kwargs: Not used; mmengine's recursion gives them.
        """
        decay_rate = self.paramwise_cfg.get('layer_decay_rate', 1.)
        new_lr_mult = self.paramwise_cfg.get('new_lr_mult', 1.)
        new_keys = tuple(self.paramwise_cfg.get('new_keys', ()))
        groups: Dict[Tuple[float, float], List[nn.Parameter]] = {}
        for name, param in module.named_parameters():
            if not param.requires_grad:
                continue
            if not name.startswith('backbone.') or any(
                    key in name for key in new_keys):
                lr_mult = new_lr_mult
            else:
                # A ViT of mmpretrain's: its layers know their depth.
                backbone: Any = module.get_submodule('backbone')
                depth, num_depths = backbone.get_layer_depth(
                    name, 'backbone.')
                lr_mult = decay_rate**(num_depths - 1 - depth)
            leaf = name.rsplit('.', 1)[-1]
            decay_mult = float(param.ndim > 1 and 'token' not in leaf
                               and leaf != 'pos_embed')
            groups.setdefault((lr_mult, decay_mult), []).append(param)
        for (lr_mult, decay_mult), members in sorted(groups.items(),
                                                     key=lambda g: g[0]):
            group = dict(params=members, lr=self.base_lr * lr_mult)
            if self.base_wd is not None:
                group['weight_decay'] = self.base_wd * decay_mult
            params.append(group)
            print_log(f'{len(members)} parameters: lr x {lr_mult:g}, '
                      f'weight decay x {decay_mult:g}', 'current')
