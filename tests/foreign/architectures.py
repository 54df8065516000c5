"""Networks that others wrote, by name: small configurations with random weights, nothing is downloaded.

``ganvas table tests/foreign/architectures.py:hf_bert --input 1,12:int64`` names one; ``NETWORKS`` lists all with their
inputs and the module that they come from.
"""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

WORDS = ("1,12:int64",)
SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
TEXT = SIZES | {"vocab_size": 50, "max_position_embeddings": 64, "pad_token_id": 0}
VISION = SIZES | {"image_size": 32, "patch_size": 8}
STAGES = {"hidden_sizes": [8, 16, 16, 32], "depths": [1, 1, 1, 1]}
PYRAMID = {
    "hidden_sizes": [8, 16, 16, 32],
    "depths": [1, 1, 1, 1],
    "num_attention_heads": [1, 2, 2, 2],
    "decoder_hidden_size": 16,
}


@dataclass(frozen=True)
class Foreign:
    """One architecture: what makes it, the shapes of its inputs, and the module that it needs."""

    make: Callable[[], Any]
    inputs: tuple[str, ...]
    module: str


NETWORKS: dict[str, Foreign] = {}


def _add(name: str, module: str, maker: str, inputs: Sequence[str], *arguments: Any, **settings: Any) -> None:
    """A class or function of a module, called with the given arguments."""

    def make() -> Any:
        return getattr(importlib.import_module(module), maker)(*arguments, **settings)

    NETWORKS[name] = Foreign(make, tuple(inputs), module)


def _hugging_face(name: str, model: str, inputs: Sequence[str], **settings: Any) -> None:
    """A model of transformers by the start of its class's name; its configuration's class has the same start."""

    def make() -> Any:
        package = importlib.import_module("transformers")
        start = next(model[:end] for end in range(len(model), 0, -1) if hasattr(package, f"{model[:end]}Config"))
        return getattr(package, model)(getattr(package, f"{start}Config")(**settings))

    NETWORKS[name] = Foreign(make, tuple(inputs), "transformers")


def __getattr__(name: str) -> Callable[[], Any]:
    if name not in NETWORKS:
        raise AttributeError(name)
    return NETWORKS[name].make


# Text.
_hugging_face("hf_bert", "BertModel", WORDS, **TEXT)
_hugging_face("hf_albert", "AlbertModel", WORDS, **TEXT, embedding_size=16)
_hugging_face("hf_roberta", "RobertaModel", WORDS, **TEXT)
_hugging_face("hf_electra", "ElectraModel", WORDS, **TEXT, embedding_size=16)
_hugging_face("hf_mpnet", "MPNetModel", WORDS, **TEXT)
_hugging_face("hf_deberta_v2", "DebertaV2Model", WORDS, **TEXT)
_hugging_face("hf_fnet", "FNetModel", WORDS, **SIZES, vocab_size=50)
_hugging_face("hf_roformer", "RoFormerModel", WORDS, **TEXT)
_hugging_face("hf_convbert", "ConvBertModel", WORDS, **TEXT, embedding_size=16)
_hugging_face("hf_nystromformer", "NystromformerModel", WORDS, **TEXT, segment_means_seq_len=12, num_landmarks=4)
_hugging_face("hf_longformer", "LongformerModel", ("1,16:int64",), **TEXT, attention_window=4)
_hugging_face("hf_distilbert", "DistilBertModel", WORDS, vocab_size=50, dim=32, n_layers=2, n_heads=2, hidden_dim=64)
_hugging_face("hf_gpt2", "GPT2Model", WORDS, vocab_size=50, n_embd=32, n_layer=2, n_head=2, n_positions=64)
_hugging_face("hf_gpt_neox", "GPTNeoXModel", WORDS, **TEXT)
_hugging_face("hf_opt", "OPTModel", WORDS, **TEXT, ffn_dim=64, word_embed_proj_dim=32)
_hugging_face("hf_bloom", "BloomModel", WORDS, vocab_size=50, hidden_size=32, n_layer=2, n_head=2)
_hugging_face("hf_llama", "LlamaModel", WORDS, **TEXT, num_key_value_heads=1)
_hugging_face("hf_llama_no_cache", "LlamaModel", WORDS, **TEXT, num_key_value_heads=1, use_cache=False)
_hugging_face("hf_mistral", "MistralModel", WORDS, **TEXT, num_key_value_heads=1, use_cache=False)
_hugging_face("hf_qwen2", "Qwen2Model", WORDS, **TEXT, num_key_value_heads=1, use_cache=False)
_hugging_face("hf_gemma", "GemmaModel", WORDS, **TEXT, num_key_value_heads=1, head_dim=16, use_cache=False)
_hugging_face("hf_phi", "PhiModel", WORDS, **TEXT, use_cache=False)
_hugging_face("hf_t5", "T5EncoderModel", WORDS, vocab_size=50, d_model=32, d_kv=16, d_ff=64, num_layers=2, num_heads=2)


def _x_transformer() -> Any:
    package = importlib.import_module("x_transformers")
    layers = package.Encoder(dim=32, depth=2, heads=2)
    return package.TransformerWrapper(num_tokens=50, max_seq_len=16, attn_layers=layers)


NETWORKS["x_transformer"] = Foreign(_x_transformer, WORDS, "x_transformers")

# Pictures.
_hugging_face("hf_vit", "ViTModel", ("1,3,32,32",), **VISION)
_hugging_face("hf_deit", "DeiTModel", ("1,3,32,32",), **VISION)
_hugging_face("hf_beit", "BeitModel", ("1,3,32,32",), **VISION)
_hugging_face("hf_dinov2", "Dinov2Model", ("1,3,32,32",), **VISION)
_hugging_face("hf_vit_msn", "ViTMSNModel", ("1,3,32,32",), **VISION)
_hugging_face(
    "hf_vit_mae",
    "ViTMAEForPreTraining",
    ("1,3,32,32",),
    **VISION,
    decoder_hidden_size=32,
    decoder_num_hidden_layers=1,
    decoder_num_attention_heads=2,
    decoder_intermediate_size=64,
)
_SWIN = {"image_size": 32, "patch_size": 4, "embed_dim": 16, "depths": [1, 1], "num_heads": [1, 2], "window_size": 4}
_hugging_face("hf_swin", "SwinModel", ("1,3,32,32",), **_SWIN)
_hugging_face("hf_swinv2", "Swinv2Model", ("1,3,32,32",), **_SWIN)
_hugging_face("hf_convnext", "ConvNextModel", ("1,3,64,64",), **STAGES)
_hugging_face("hf_convnextv2", "ConvNextV2Model", ("1,3,64,64",), **STAGES)
_hugging_face("hf_resnet", "ResNetModel", ("1,3,64,64",), **STAGES, embedding_size=8)
_hugging_face("hf_regnet", "RegNetModel", ("1,3,64,64",), **STAGES, embedding_size=8, groups_width=8)
_hugging_face(
    "hf_bit",
    "BitModel",
    ("1,3,64,64",),
    **(STAGES | {"hidden_sizes": [32, 64, 64, 64]}),
    embedding_size=32,
    num_groups=4,
)
_hugging_face("hf_mobilenet_v1", "MobileNetV1Model", ("1,3,64,64",), depth_multiplier=0.25)
_hugging_face("hf_mobilenet_v2", "MobileNetV2Model", ("1,3,64,64",), depth_multiplier=0.25)
_hugging_face(
    "hf_efficientnet",
    "EfficientNetModel",
    ("1,3,64,64",),
    width_coefficient=0.25,
    depth_coefficient=0.3,
    hidden_dim=320,
)
_hugging_face("hf_poolformer", "PoolFormerModel", ("1,3,64,64",), **STAGES)
_hugging_face("hf_segformer", "SegformerForSemanticSegmentation", ("1,3,64,64",), **PYRAMID)
_hugging_face("hf_glpn", "GLPNForDepthEstimation", ("1,3,64,64",), **PYRAMID)
_hugging_face("hf_pvt", "PvtModel", ("1,3,64,64",), **PYRAMID, image_size=64)
_hugging_face("hf_focalnet", "FocalNetModel", ("1,3,64,64",), image_size=64, embed_dim=16, depths=[1, 1, 1, 1])
_hugging_face("hf_cvt", "CvtModel", ("1,3,64,64",), depth=[1, 1, 1])
_hugging_face("hf_swiftformer", "SwiftFormerModel", ("1,3,64,64",), depths=[1, 1, 1, 1], embed_dims=[16, 16, 32, 32])
_hugging_face("hf_yolos", "YolosModel", ("1,3,32,32",), **(VISION | {"image_size": [32, 32]}))
_hugging_face("hf_ast", "ASTModel", ("1,64,32",), **SIZES, patch_size=8, max_length=64, num_mel_bins=32)

# Sound.
_CONVS = {"conv_dim": (16, 16), "conv_stride": (5, 4), "conv_kernel": (10, 8), "num_conv_pos_embeddings": 4}
_CONVS |= {"num_conv_pos_embedding_groups": 2, "num_feat_extract_layers": 2, "mask_time_prob": 0.0}
_hugging_face("hf_wav2vec2", "Wav2Vec2Model", ("1,800",), **SIZES, **_CONVS)
_hugging_face("hf_hubert", "HubertModel", ("1,800",), **SIZES, **_CONVS)
_hugging_face("hf_encodec", "EncodecModel", ("1,1,640",), num_filters=4, hidden_size=16, codebook_size=16)
_hugging_face(
    "hf_hifigan",
    "SpeechT5HifiGan",
    ("1,20,80",),
    model_in_dim=80,
    upsample_initial_channel=32,
    upsample_rates=[4, 4],
    upsample_kernel_sizes=[8, 8],
)

# pytorchcv.
for _name in (
    "resnet20_cifar10",
    "preresnet20_cifar10",
    "seresnet20_cifar10",
    "sepreresnet20_cifar10",
    "densenet40_k12_cifar10",
    "xdensenet40_2_k24_bc_cifar10",
    "nin_cifar10",
    "ror3_56_cifar10",
    "shakeshakeresnet20_2x16d_cifar10",
    "diapreresnet20_cifar10",
):
    _add(f"cv_{_name}", "pytorchcv.model_provider", "get_model", ("1,3,32,32",), _name)
for _name in ("squeezenet_v1_1", "shufflenet_g1_wd4", "mobilenet_wd4", "mobilenetv3_small_w7d20", "fdmobilenet_wd4"):
    _add(f"cv_{_name}", "pytorchcv.model_provider", "get_model", ("1,3,224,224",), _name)

# MONAI.
_NETS, _FLAT = "monai.networks.nets", {"spatial_dims": 2, "in_channels": 1, "out_channels": 2}
_add("monai_unet", _NETS, "UNet", ("1,1,32,32",), **_FLAT, channels=(4, 8, 16), strides=(2, 2), num_res_units=1)
_add("monai_basic_unet", _NETS, "BasicUNet", ("1,1,32,32",), **_FLAT, features=(4, 4, 8, 8, 16, 4))
_add("monai_basic_unet_plus_plus", _NETS, "BasicUNetPlusPlus", ("1,1,32,32",), **_FLAT, features=(4, 4, 8, 8, 16, 4))
_add("monai_attention_unet", _NETS, "AttentionUnet", ("1,1,32,32",), **_FLAT, channels=(4, 8, 16), strides=(2, 2))
_add("monai_segresnet", _NETS, "SegResNet", ("1,1,32,32",), **_FLAT, init_filters=8)
_add("monai_autoencoder", _NETS, "AutoEncoder", ("1,1,32,32",), **_FLAT, channels=(4, 8), strides=(2, 2))
_add("monai_densenet", _NETS, "DenseNet", ("1,1,64,64",), **_FLAT, init_features=8, growth_rate=4, block_config=(2, 2))
_add(
    "monai_unetr",
    _NETS,
    "UNETR",
    ("1,1,32,32",),
    1,
    2,
    (32, 32),
    spatial_dims=2,
    feature_size=4,
    hidden_size=32,
    mlp_dim=64,
    num_heads=2,
)
_add(
    "monai_vit",
    _NETS,
    "ViT",
    ("1,1,32,32",),
    1,
    (32, 32),
    (8, 8),
    spatial_dims=2,
    hidden_size=32,
    mlp_dim=64,
    num_layers=2,
    num_heads=2,
)
_KL = {
    "spatial_dims": 2,
    "channels": (8, 16),
    "num_res_blocks": 1,
    "norm_num_groups": 4,
    "attention_levels": (False,) * 2,
}
_add(
    "monai_autoencoder_kl",
    _NETS,
    "AutoencoderKL",
    ("1,1,16,16",),
    in_channels=1,
    out_channels=1,
    latent_channels=2,
    **_KL,
)
_add(
    "monai_patch_discriminator", _NETS, "PatchDiscriminator", ("1,1,64,64",), spatial_dims=2, channels=8, in_channels=1
)

# diffusers.
_UNET = {"sample_size": 16, "block_out_channels": (8, 16), "layers_per_block": 1, "norm_num_groups": 4}
_add(
    "diffusers_unet",
    "diffusers",
    "UNet2DModel",
    ("1,3,16,16", "1:int64"),
    **_UNET,
    attention_head_dim=8,
    down_block_types=("DownBlock2D", "AttnDownBlock2D"),
    up_block_types=("AttnUpBlock2D", "UpBlock2D"),
)
_add(
    "diffusers_unet_condition",
    "diffusers",
    "UNet2DConditionModel",
    ("1,4,16,16", "1:int64", "1,5,8"),
    **_UNET,
    cross_attention_dim=8,
    attention_head_dim=4,
    down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
    up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
)
_add(
    "diffusers_autoencoder_kl", "diffusers", "AutoencoderKL", ("1,3,16,16",), block_out_channels=(8,), norm_num_groups=4
)
_add(
    "diffusers_vq",
    "diffusers",
    "VQModel",
    ("1,3,16,16",),
    block_out_channels=(8,),
    norm_num_groups=4,
    num_vq_embeddings=16,
)
_add(
    "diffusers_tiny",
    "diffusers",
    "AutoencoderTiny",
    ("1,3,32,32",),
    encoder_block_out_channels=(8, 8),
    decoder_block_out_channels=(8, 8),
    num_encoder_blocks=(1, 1),
    num_decoder_blocks=(1, 1),
)

# One network each.
_SMALL = {"image_size": 32, "patch_size": 8, "dim": 32, "depth": 2, "num_classes": 5}
_add("mlp_mixer", "mlp_mixer_pytorch", "MLPMixer", ("1,3,32,32",), channels=3, **_SMALL)
_add("g_mlp", "g_mlp_pytorch", "gMLPVision", ("1,3,32,32",), **_SMALL)
_add(
    "segformer_pytorch",
    "segformer_pytorch",
    "Segformer",
    ("1,3,64,64",),
    dims=(8, 16, 16, 32),
    heads=(1, 2, 2, 2),
    num_layers=1,
    decoder_dim=16,
    num_classes=3,
)
_add(
    "uformer",
    "uformer_pytorch",
    "Uformer",
    ("1,3,32,32",),
    dim=8,
    stages=2,
    num_blocks=1,
    window_size=4,
    dim_head=8,
    heads=2,
)
_add(
    "nystromformer",
    "nystrom_attention",
    "Nystromformer",
    ("1,16,32",),
    dim=32,
    dim_head=16,
    heads=2,
    depth=2,
    num_landmarks=4,
)
_add("linformer", "linformer", "Linformer", ("1,16,32",), dim=32, seq_len=16, depth=2, heads=2, k=8)
_add(
    "local_transformer",
    "local_attention",
    "LocalTransformer",
    ("1,16:int64",),
    num_tokens=50,
    dim=32,
    depth=2,
    max_seq_len=16,
    local_attn_window_size=4,
    dim_head=16,
    heads=2,
)
_add(
    "axial_transformer",
    "axial_attention",
    "AxialImageTransformer",
    ("1,8,8,8",),
    dim=8,
    depth=2,
    heads=2,
    reversible=False,
)
_add("siren", "siren_pytorch", "SirenNet", ("4,2",), dim_in=2, dim_hidden=16, dim_out=3, num_layers=3)
_add("unet_2d", "unet", "UNet2D", ("1,1,32,32",), out_channels_first_layer=4, num_encoding_blocks=2, padding=1)
_add("tcn", "pytorch_tcn", "TCN", ("1,4,32",), num_inputs=4, num_channels=(8, 8))
_add(
    "perceiver",
    "perceiver_pytorch",
    "Perceiver",
    ("1,16,16,3",),
    num_freq_bands=2,
    depth=2,
    max_freq=4.0,
    num_latents=8,
    latent_dim=16,
    cross_dim_head=8,
    latent_dim_head=8,
    num_classes=5,
    latent_heads=2,
)
_add("lambda_layer", "lambda_networks", "LambdaLayer", ("1,8,16,16",), dim=8, dim_out=8, r=5, dim_k=4, heads=2, dim_u=1)
_add(
    "halo_attention",
    "halonet_pytorch",
    "HaloAttention",
    ("1,8,16,16",),
    dim=8,
    block_size=4,
    halo_size=2,
    dim_head=4,
    heads=2,
)
_add(
    "bottleneck_transformer",
    "bottleneck_transformer_pytorch",
    "BottleStack",
    ("1,8,16,16",),
    dim=8,
    fmap_size=16,
    dim_out=16,
    heads=2,
    dim_head=4,
    num_layers=2,
)
_add("conformer", "conformer", "Conformer", ("1,16,32",), dim=32, depth=2, dim_head=16, heads=2, conv_kernel_size=7)
_add("slot_attention", "slot_attention", "SlotAttention", ("1,16,8",), num_slots=3, dim=8, hidden_dim=16)
_add("vector_quantize", "vector_quantize_pytorch", "VectorQuantize", ("1,16,8",), dim=8, codebook_size=16)
_add("fsq", "vector_quantize_pytorch", "FSQ", ("1,16,4",), [8, 5, 5, 5])


def _efficientnet() -> Any:
    return importlib.import_module("efficientnet_pytorch").EfficientNet.from_name("efficientnet-b0")


NETWORKS["efficientnet_b0"] = Foreign(_efficientnet, ("1,3,64,64",), "efficientnet_pytorch")
_add("kornia_hardnet", "kornia.feature", "HardNet", ("1,1,32,32",), pretrained=False)
_add("kornia_sosnet", "kornia.feature", "SOSNet", ("1,1,32,32",), pretrained=False)
_add(
    "kornia_vit",
    "kornia.models",
    "VisionTransformer",
    ("1,3,32,32",),
    image_size=32,
    patch_size=8,
    embed_dim=32,
    depth=2,
    num_heads=2,
)
_add("zuko_mlp", "zuko.nn", "MLP", ("4,3",), 3, 2, hidden_features=(16, 16))
_add("normflows_resnet", "normflows.nets", "ResidualNet", ("4,3",), 3, 2, 16)
