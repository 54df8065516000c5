import pytest

from ganvas.nn.programs.program_operator import ProgramOperator


@pytest.mark.parametrize(
    "target",
    [
        "torch.ops.aten.conv2d.default",
        "torch.ops.aten.add.Tensor",
        "torch.ops.aten.gelu.default",
        "torch.ops.aten.to.dtype",
        "torch.ops.aten._assert_tensor_metadata.default",
        "torch.ops.aten.sym_size.int",
        "torch.ops.aten.index.Tensor",
        "torch.ops.higher_order.cond",
        "torch.ops.higher_order.wrap_with_set_grad_enabled",
        "_operator.getitem",
        "_operator.mul",
        "math.trunc",
        "torch.sym_max",
        "torch._sym_sqrt",
    ],
)
def test_operators_on_tensors_and_numbers_pass(target):
    assert ProgramOperator().refuses(target) == ""


@pytest.mark.parametrize(
    "target",
    [
        "",
        "torch.os.system",
        "torch.hub.load",
        "torch.load",
        "torch.ops.load_library",
        "torch.ops.aten.from_file.default",
        "torch.ops.aten.from_file.out",
        "torch.ops.aten.save.default",
        "torch.ops.aten.add.__class__",
        "torch.ops.aten.add",
        "torch.ops.aten.__class__.default",
        "torch.ops.aten.no_such_operator.default",
        "torch.ops.aten.set_.source_Storage",
        "torch.ops.aten.dequantize.any",
        "torch.ops.aten._sparse_coo_tensor_unsafe.default",
        "torch.ops.quantized.add.default",
        "torch.ops.higher_order.call_torchbind",
        "torch.ops.higher_order.triton_kernel_wrapper_functional",
        "_operator.call",
        "_operator.attrgetter",
        "_operator.methodcaller",
        "_operator.setitem",
        "math.factorial",
        "builtins.eval",
        "#extension:op",
        "torch.ops.aten.conv2d.default\n",
    ],
)
def test_whatever_reaches_further_is_refused(target):
    assert "operator of PyTorch" in ProgramOperator().refuses(target)
