#!/usr/bin/env python3
"""Prints what a peer gives for each edge case: peers.py FRAMEWORK CASES FIRST

First the framework and its version, then a line of JSON for each case from number FIRST on: its elements, the error,
or that the framework has no such operation."""

import json
import math
import os
import sys

import numpy as np


def elements(spec):
    """An input of the case file as an array of f64."""
    if isinstance(spec, list):
        return np.array([float(x) for x in spec])
    count = math.prod(spec["shape"])
    if "repeat" in spec:
        pattern = np.array([float(x) for x in spec["repeat"]])
        return np.resize(pattern, count).reshape(spec["shape"])
    flat = np.full(count, float(spec["rest"]))
    flat[: spec["count"]] = float(spec["first"])
    return flat.reshape(spec["shape"])


class Torch:
    def __init__(self):
        import torch
        import torch.nn.functional as F

        self.torch, self.version = torch, torch.__version__
        like = lambda a, b: (a, torch.as_tensor(b, dtype=a.dtype))
        self.functions = dict(
            maximum=lambda a, b: torch.maximum(*like(a, b)), pow=lambda a, b: a**b, less=torch.lt, less_equal=torch.le,
            greater=torch.gt, exp=torch.exp, log=torch.log, log1p=torch.log1p, expm1=torch.expm1, sqrt=torch.sqrt,
            square=torch.square, cos=torch.cos, tanh=torch.tanh, erf=torch.erf, normal_cdf=torch.special.ndtr,
            sigmoid=torch.sigmoid, softplus=F.softplus, relu=F.relu, gelu=F.gelu, silu=F.silu, sum=torch.sum,
            mean=torch.mean, var=lambda x: torch.var(x, correction=0), max=torch.amax, prod=torch.prod,
            logsumexp=lambda x: torch.logsumexp(x, 0), where=lambda c, a, b: torch.where(c != 0, a, b), clip=torch.clamp,
            cumsum=lambda x: torch.cumsum(x, 0), argmax=torch.argmax, softmax=lambda x: torch.softmax(x, -1),
            cross_entropy=F.cross_entropy, binary_cross_entropy_with_logits=F.binary_cross_entropy_with_logits,
            layer_norm=lambda x: F.layer_norm(x, x.shape[-1:]),
            batch_norm=lambda x: F.batch_norm(x, None, None, training=True),
            conv2d=lambda x, w, p: F.conv2d(x, w, padding=p),
            conv2d_strided=lambda x, w, s, p: F.conv2d(x, w, stride=s, padding=p),
            conv_transpose2d=lambda x, w, o, d: F.conv_transpose2d(x, w, output_padding=o, dilation=d),
            fold=lambda x, size, k, s, p, d: F.fold(x, size, k, dilation=d, padding=p, stride=s),
            pad=lambda x, a, b: F.pad(x, (a, b)), slice=lambda x, a, b, s: x[a:b:s])

    def array(self, values, dtype):
        kind = {"f32": self.torch.float32, "f64": self.torch.float64, "i64": self.torch.int64}[dtype]
        return self.torch.tensor(values).to(kind).requires_grad_(dtype != "i64")

    def derive(self, f, values, wrt):
        results = (f(*values),)
        for places in wrt:
            results = self.torch.autograd.grad(results[0].sum(), [values[i] for i in places], create_graph=True,
                                               materialize_grads=True)
        return [r.detach().double().numpy() for r in results]


class Functional:
    """A framework whose gradient maps functions to functions; `gradient(f, places)` is given by each."""

    def derive(self, f, values, wrt):
        for places in wrt:
            f = self.gradient(f, places)
        results = f(*values)
        return [np.array(r, dtype=np.float64) for r in (results if isinstance(results, (tuple, list)) else [results])]


class Jax(Functional):
    def __init__(self):
        import jax
        import jax.numpy as jnp
        from jax import lax, nn

        jax.config.update("jax_enable_x64", True)
        jax.config.update("jax_platforms", "cpu")
        self.jax, self.jnp, self.version = jax, jnp, jax.__version__
        bce = lambda x, t: jnp.mean(-t * nn.log_sigmoid(x) - (1 - t) * nn.log_sigmoid(-x))
        conv = lambda x, w, s, p: lax.conv_general_dilated(x, w, (s, s), [(p, p)] * 2)
        transpose = lambda x, w, o, d: lax.conv_general_dilated(
            x, jnp.flip(jnp.swapaxes(w, 0, 1), (2, 3)), (1, 1), [(d * (w.shape[i] - 1), d * (w.shape[i] - 1) + o) for i in (2, 3)],
            rhs_dilation=(d, d))
        self.functions = dict(
            maximum=jnp.maximum, pow=jnp.power, less=jnp.less, less_equal=jnp.less_equal, greater=jnp.greater, exp=jnp.exp,
            log=jnp.log, log1p=jnp.log1p, expm1=jnp.expm1, sqrt=jnp.sqrt, square=jnp.square, cos=jnp.cos, tanh=jnp.tanh,
            erf=lax.erf, normal_cdf=jax.scipy.special.ndtr, sigmoid=nn.sigmoid, softplus=nn.softplus, relu=nn.relu,
            gelu=lambda x: nn.gelu(x, approximate=False), silu=nn.silu, sum=jnp.sum, mean=jnp.mean, var=jnp.var, max=jnp.max,
            prod=jnp.prod, logsumexp=nn.logsumexp, where=lambda c, a, b: jnp.where(c != 0, a, b), clip=jnp.clip,
            cumsum=jnp.cumsum, argmax=jnp.argmax, softmax=nn.softmax,
            cross_entropy=lambda x, p: jnp.mean(-jnp.sum(p * nn.log_softmax(x), axis=1)),
            binary_cross_entropy_with_logits=bce, layer_norm=lambda x: nn.standardize(x, axis=-1, epsilon=1e-5),
            batch_norm=lambda x: nn.standardize(x, axis=0, epsilon=1e-5), conv2d=lambda x, w, p: conv(x, w, 1, p),
            conv2d_strided=conv, conv_transpose2d=transpose, pad=lambda x, a, b: jnp.pad(x, (a, b)),
            slice=lambda x, a, b, s: x[a:b:s])

    def array(self, values, dtype):
        return self.jnp.asarray(values, {"f32": "float32", "f64": "float64", "i64": "int64"}[dtype])

    def gradient(self, f, places):
        return self.jax.grad(lambda *v: self.jnp.sum(f(*v)), tuple(places) if len(places) > 1 else places[0])


class Tensorflow(Functional):
    def __init__(self):
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        import tensorflow as tf

        nn, math = tf.nn, tf.math
        self.tf, self.version = tf, tf.__version__
        images = lambda x: tf.transpose(x, [0, 2, 3, 1])
        back = lambda x: tf.transpose(x, [0, 3, 1, 2])
        conv = lambda x, w, s, p: back(nn.conv2d(images(x), tf.transpose(w, [2, 3, 1, 0]), s, [[0, 0], [p, p], [p, p], [0, 0]]))

        def normal(x, axis):
            mean, var = nn.moments(x, [axis], keepdims=True)
            return nn.batch_normalization(x, mean, var, None, None, 1e-5)

        self.functions = dict(
            maximum=tf.maximum, pow=lambda a, b: a**b, less=tf.less, less_equal=tf.less_equal, greater=tf.greater, exp=tf.exp,
            log=math.log, log1p=math.log1p, expm1=math.expm1, sqrt=tf.sqrt, square=tf.square, cos=tf.cos, tanh=tf.tanh,
            erf=math.erf, normal_cdf=None, sigmoid=tf.sigmoid, softplus=nn.softplus, relu=nn.relu, gelu=nn.gelu, silu=nn.silu,
            sum=tf.reduce_sum, mean=tf.reduce_mean, var=math.reduce_variance, max=tf.reduce_max, prod=tf.reduce_prod,
            logsumexp=tf.reduce_logsumexp,
            where=lambda c, a, b: tf.where(c if c.dtype == tf.bool else c != 0, a, b), clip=tf.clip_by_value,
            cumsum=tf.cumsum, argmax=tf.argmax, softmax=nn.softmax,
            cross_entropy=lambda x, p: tf.reduce_mean(nn.softmax_cross_entropy_with_logits(p, x)),
            binary_cross_entropy_with_logits=lambda x, t: tf.reduce_mean(nn.sigmoid_cross_entropy_with_logits(t, x)),
            layer_norm=lambda x: normal(x, -1), batch_norm=lambda x: normal(x, 0), conv2d=lambda x, w, p: conv(x, w, 1, p),
            conv2d_strided=conv, pad=lambda x, a, b: tf.pad(x, [[a, b]]), slice=lambda x, a, b, s: x[a:b:s])

    def array(self, values, dtype):
        return self.tf.constant(values, {"f32": "float32", "f64": "float64", "i64": "int64"}[dtype])

    def gradient(self, f, places):
        def g(*values):
            with self.tf.GradientTape() as tape:
                tape.watch([values[i] for i in places])
                y = self.tf.reduce_sum(f(*values))
            result = tape.gradient(y, [values[i] for i in places], unconnected_gradients="zero")
            return result if len(places) > 1 else result[0]

        return g


class Mlx(Functional):
    def __init__(self):
        import mlx.core as mx
        import mlx.nn as nn

        mx.set_default_device(mx.cpu)
        self.mx, self.version = mx, mx.__version__
        images = lambda x: mx.transpose(x, (0, 2, 3, 1))
        back = lambda x: mx.transpose(x, (0, 3, 1, 2))
        conv = lambda x, w, s, p: back(mx.conv2d(images(x), images(w), s, p))
        self.functions = dict(
            maximum=mx.maximum, pow=mx.power, less=mx.less, less_equal=mx.less_equal, greater=mx.greater, exp=mx.exp,
            log=mx.log, log1p=mx.log1p, expm1=mx.expm1, sqrt=mx.sqrt, square=mx.square, cos=mx.cos, tanh=mx.tanh, erf=mx.erf,
            sigmoid=mx.sigmoid, softplus=nn.softplus, relu=nn.relu, gelu=nn.gelu, silu=nn.silu, sum=mx.sum, mean=mx.mean,
            var=mx.var, max=mx.max, prod=mx.prod, logsumexp=mx.logsumexp, where=lambda c, a, b: mx.where(c != 0, a, b),
            clip=mx.clip, cumsum=mx.cumsum, argmax=mx.argmax, softmax=lambda x: mx.softmax(x, -1),
            cross_entropy=lambda x, p: nn.losses.cross_entropy(x, p, reduction="mean"),
            binary_cross_entropy_with_logits=lambda x, t: nn.losses.binary_cross_entropy(x, t, with_logits=True),
            layer_norm=lambda x: mx.fast.layer_norm(x, None, None, 1e-5),
            batch_norm=lambda x: nn.BatchNorm(x.shape[1], affine=False)(x), conv2d=lambda x, w, p: conv(x, w, 1, p),
            conv2d_strided=conv,
            conv_transpose2d=lambda x, w, o, d: back(mx.conv_transpose2d(images(x), mx.transpose(w, (1, 2, 3, 0)), dilation=d,
                                                                         output_padding=o)),
            pad=lambda x, a, b: mx.pad(x, (a, b)), slice=lambda x, a, b, s: x[a:b:s])

    def array(self, values, dtype):
        mx = self.mx
        return mx.array(values.tolist(), {"f32": mx.float32, "f64": mx.float64, "i64": mx.int64}[dtype])

    def gradient(self, f, places):
        return self.mx.grad(lambda *v: self.mx.sum(f(*v)), list(places) if len(places) > 1 else places[0])


class Tinygrad:
    def __init__(self):
        from importlib.metadata import version

        from tinygrad import Tensor, dtypes

        self.Tensor, self.dtypes, self.version = Tensor, dtypes, version("tinygrad")

        def batch_norm(x):
            mean = x.mean(0)
            return x.batchnorm(None, None, mean, (x.var(0, correction=0) + 1e-5).rsqrt())

        self.functions = dict(
            maximum=Tensor.maximum, pow=lambda a, b: a**b, less=lambda a, b: a < b, less_equal=lambda a, b: a <= b,
            greater=lambda a, b: a > b, exp=Tensor.exp, log=Tensor.log, sqrt=Tensor.sqrt, square=Tensor.square, cos=Tensor.cos,
            tanh=Tensor.tanh, erf=Tensor.erf, sigmoid=Tensor.sigmoid, softplus=Tensor.softplus, relu=Tensor.relu,
            silu=Tensor.silu, sum=Tensor.sum, mean=Tensor.mean, var=lambda x: x.var(correction=0), max=Tensor.max,
            prod=Tensor.prod, logsumexp=Tensor.logsumexp, where=lambda c, a, b: (c != 0).where(a, b), clip=Tensor.clip,
            cumsum=Tensor.cumsum, argmax=Tensor.argmax, softmax=Tensor.softmax, cross_entropy=Tensor.cross_entropy,
            binary_cross_entropy_with_logits=Tensor.binary_crossentropy_logits, layer_norm=Tensor.layernorm,
            batch_norm=batch_norm, conv2d=lambda x, w, p: x.conv2d(w, padding=p),
            conv2d_strided=lambda x, w, s, p: x.conv2d(w, stride=s, padding=p),
            conv_transpose2d=lambda x, w, o, d: x.conv_transpose2d(w, output_padding=o, dilation=d),
            pad=lambda x, a, b: x.pad(((a, b),)), slice=lambda x, a, b, s: x[a:b:s])

    def array(self, values, dtype):
        kind = {"f32": "float32", "f64": "float64", "i64": "int64"}[dtype]
        return self.Tensor(values.astype(kind))

    def derive(self, f, values, wrt):
        results = [f(*values)]
        for places in wrt:
            results = results[0].sum().gradient(*[values[i] for i in places])
        return [r.numpy().astype(np.float64) for r in results]


PEERS = {"pytorch": Torch, "jax": Jax, "tensorflow": Tensorflow, "mlx": Mlx, "tinygrad": Tinygrad}


def answer(peer, case):
    """The elements that count, or None when the framework has no such operation."""
    names = list(case["inputs"])
    code = compile(case["expression"], case["name"], "eval")
    functions = {name: f for name, f in peer.functions.items() if f}
    if any(name not in functions and name not in names and name != "inf" for name in code.co_names):
        return None
    values = [peer.array(elements(case["inputs"][name]), case["dtype"]) for name in names]
    wrt = [[names.index(name) for name in step.split(",")] for step in case.get("wrt", [])]
    f = lambda *v: eval(code, {**functions, "inf": math.inf, **dict(zip(names, v))})
    given = np.concatenate([np.ravel(r) for r in peer.derive(f, values, wrt)])
    return [repr(float(given[i])) for i in case.get("at", range(len(given)))]


def main():
    framework, path, first = sys.argv[1], sys.argv[2], int(sys.argv[3])
    peer = PEERS[framework]()
    print(json.dumps({"framework": framework, "version": peer.version}), flush=True)
    for number, case in list(enumerate(json.load(open(path))))[first:]:
        line = {"case": number}
        try:
            given = answer(peer, case)
            line.update({"none": True} if given is None else {"given": given})
        except Exception as e:  # whatever a framework throws is its answer
            line["error"] = f"{type(e).__name__}: {e}"[:300]
        print(json.dumps(line), flush=True)


main()
