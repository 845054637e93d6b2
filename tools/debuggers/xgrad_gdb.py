# gdb shows xgrad's arrays and Variables by their elements: `source PREFIX/share/xgrad/xgrad_gdb.py`, typed or in ~/.gdbinit.
# The program itself is asked, so it must be running, but needs no debug information of xgrad. Pending values are not computed.
import gdb
import gdb.printing


def described(value, function):
    if value.address is None:
        return "in a register"
    call = "((const char* (*)(const void*))%s)((const void*)%d)" % (function, int(value.address))
    try:
        return gdb.parse_and_eval(call).string()
    except gdb.error as error:
        return "at %#x (%s)" % (int(value.address), error)


class ArrayPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return described(self.value, "xgrad_describe_array")


class VariablePrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return described(self.value, "xgrad_describe_variable")


class ShapePrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        lengths = self.value["dims_"]["_M_elems" if has_field(self.value["dims_"], "_M_elems") else "__elems_"]
        dims = [int(lengths[i]) for i in range(int(self.value["rank_"]))]
        return "(%s%s)" % (", ".join(map(str, dims)), "," if len(dims) == 1 else "")


def has_field(value, name):
    return any(field.name == name for field in value.type.fields())


def build():
    printers = gdb.printing.RegexpCollectionPrettyPrinter("xgrad")
    printers.add_printer("Array", "^xgrad::Array$", ArrayPrinter)
    printers.add_printer("Variable", "^xgrad::(Variable|Parameter|Buffer)$", VariablePrinter)
    printers.add_printer("Shape", "^xgrad::Shape$", ShapePrinter)
    return printers


gdb.printing.register_pretty_printer(gdb.current_objfile(), build(), replace=True)
