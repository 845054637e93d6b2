# lldb shows xgrad's arrays and Variables by their elements: `command script import PREFIX/share/xgrad/xgrad_lldb.py`, typed or in
# ~/.lldbinit. The program itself is asked, so it must be running, but needs no debug information of xgrad. Pending values are not computed.
import lldb


def described(value, function):
    address = value.GetNonSyntheticValue().GetLoadAddress()
    if address == lldb.LLDB_INVALID_ADDRESS:
        return "in a register"
    call = "((const char* (*)(const void*))%s)((const void*)%d)" % (function, address)
    result = value.GetFrame().EvaluateExpression(call)
    text = result.GetSummary()
    return text[1:-1].replace("\\n", "\n") if text else "at %#x" % address


def array_summary(value, _):
    return described(value, "xgrad_describe_array")


def variable_summary(value, _):
    return described(value, "xgrad_describe_variable")


def shape_summary(value, _):
    value = value.GetNonSyntheticValue()
    rank = value.GetChildMemberWithName("rank_").GetValueAsSigned()
    lengths = value.GetChildMemberWithName("dims_")
    dims = [lengths.GetChildAtIndex(i).GetValueAsSigned() for i in range(rank)]
    return "(%s%s)" % (", ".join(map(str, dims)), "," if rank == 1 else "")


def __lldb_init_module(debugger, _):
    for name, function in (("Array", "array"), ("Variable", "variable"), ("Parameter", "variable"),
                           ("Buffer", "variable"), ("Shape", "shape")):
        debugger.HandleCommand("type summary add -F %s.%s_summary xgrad::%s" % (__name__, function, name))
