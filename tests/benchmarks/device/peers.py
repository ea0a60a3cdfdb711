"""Times what `align bench policy.align --device tornado` times, in PyTorch and in Triton, on a GPU.

    python3 peers.py ROWS VOCABULARY [OUT.json]

The work: logits of a policy and of a reference [ROWS, VOCABULARY] in single precision and a taken
token and an advantage a of each row; the loss is the mean over the rows of

    -a log pi(y) + beta KL(pi || ref) - alpha H(pi),

KL and entropy H exactly over the vocabulary; loss and gradient for the policy's logits. Data stays on
the device. Times are medians by device events (triton.testing.do_bench). Contestants:

    copy            c = a, the memory's limit, counted as bytes read and written
    eager           torch, automatic differentiation
    compile         the same under torch.compile
    triton          one fused kernel: one program a row, sums relative to the largest logit so far in
                    a first pass, the gradient in a second; the best of several block sizes

Every gradient is compared with eager torch in double precision on eight rows.
"""

import json
import sys

import torch
import triton
import triton.language as tl

BETA, ALPHA = 0.1, 0.01


@triton.jit
def fused(p, q, y, a, grad, loss, V, scale, beta, alpha, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    p += row * V
    q += row * V
    grad += row * V
    top = -3.0e38
    total = 0.0
    ratios = 0.0
    logits = 0.0
    ref_top = -3.0e38
    ref_total = 0.0
    for start in range(0, V, BLOCK):
        at = start + tl.arange(0, BLOCK)
        inside = at < V
        x = tl.load(p + at, mask=inside, other=-3.0e38)
        z = tl.load(q + at, mask=inside, other=-3.0e38)
        new = tl.maximum(top, tl.max(x, 0))
        shrink = tl.exp(top - new)
        e = tl.exp(x - new)
        e = tl.where(inside, e, 0.0)
        total = total * shrink + tl.sum(e, 0)
        ratios = ratios * shrink + tl.sum(e * (x - z), 0)
        logits = logits * shrink + tl.sum(tl.where(inside, e * x, 0.0), 0)
        top = new
        new = tl.maximum(ref_top, tl.max(z, 0))
        f = tl.where(inside, tl.exp(z - new), 0.0)
        ref_total = ref_total * tl.exp(ref_top - new) + tl.sum(f, 0)
        ref_top = new
    norm = top + tl.log(total)
    ref_norm = ref_top + tl.log(ref_total)
    kl = ratios / total + (ref_norm - norm)
    negative_entropy = logits / total - norm
    taken = tl.load(y + row)
    advantage = tl.load(a + row)
    log_probability = tl.load(p + taken) - norm
    tl.store(loss + row, -advantage * log_probability + beta * kl + alpha * negative_entropy)
    for start in range(0, V, BLOCK):
        at = start + tl.arange(0, BLOCK)
        inside = at < V
        x = tl.load(p + at, mask=inside, other=0.0) - norm
        z = tl.load(q + at, mask=inside, other=0.0) - ref_norm
        e = tl.exp(x)
        d = e * (advantage + beta * (x - z - kl) + alpha * (x - negative_entropy))
        d = tl.where(at == taken, d - advantage, d)
        tl.store(grad + at, d * scale, mask=inside)


def objective(p, q, y, a):
    log_p = torch.log_softmax(p, -1)
    log_q = torch.log_softmax(q, -1)
    probability = log_p.exp()
    taken = log_p.gather(-1, y[:, None]).squeeze(-1)
    kl = (probability * (log_p - log_q)).sum(-1)
    negative_entropy = (probability * log_p).sum(-1)
    return (-a * taken + BETA * kl + ALPHA * negative_entropy).mean()


def main():
    rows, vocabulary = int(sys.argv[1]), int(sys.argv[2])
    torch.manual_seed(1)
    q = torch.randn(rows, vocabulary, device="cuda") * 3
    p = q + torch.randn(rows, vocabulary, device="cuda") * 0.5
    y = torch.randint(vocabulary, (rows,), device="cuda")
    a = torch.randn(rows, device="cuda")
    grad = torch.empty_like(p)
    loss = torch.empty(rows, device="cuda")
    elements = rows * vocabulary
    seconds = {}
    errors = {}

    few = slice(0, 8)
    exact_p = p[few].double().requires_grad_()
    exact = objective(exact_p, q[few].double(), y[few], a[few].double()) * 8 / rows
    (exact_gradient,) = torch.autograd.grad(exact, exact_p)

    def error(gradient):
        return ((gradient[few] - exact_gradient).norm() / exact_gradient.norm()).item()

    def timed(name, call):
        seconds[name] = 1e-3 * triton.testing.do_bench(
            call, warmup=100, rep=400, return_mode="median"
        )

    timed("copy", lambda: grad.copy_(p))

    variants = {}
    for block in (1024, 2048, 4096, 8192):
        for warps in (4, 8, 16, 32):
            if block // (32 * warps) < 1 or block // (32 * warps) > 16:
                continue

            def call(block=block, warps=warps):
                fused[(rows,)](
                    p, q, y, a, grad, loss, vocabulary, 1.0 / rows, BETA, ALPHA, block,
                    num_warps=warps,
                )

            call()
            variants[(block, warps)] = triton.testing.do_bench(
                call, warmup=20, rep=60, return_mode="median"
            )
    block, warps = min(variants, key=variants.get)
    grad.fill_(float("nan"))

    def best():
        fused[(rows,)](
            p, q, y, a, grad, loss, vocabulary, 1.0 / rows, BETA, ALPHA, block, num_warps=warps
        )

    timed("triton", best)
    errors["triton"] = error(grad)
    del grad

    p.requires_grad_()
    if "--no-compile" not in sys.argv:
        compiled = torch.compile(objective)

        def step():
            return torch.autograd.grad(compiled(p, q, y, a), p)[0]

        errors["compile"] = error(step())
        timed("compile", step)

    def eager():
        return torch.autograd.grad(objective(p, q, y, a), p)[0]

    errors["eager"] = error(eager())
    timed("eager", eager)

    bandwidth = 8 * elements / seconds["copy"]
    result = {
        "device": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "triton": triton.__version__,
        "rows": rows,
        "vocabulary": vocabulary,
        "copy_bytes_per_second": bandwidth,
        "triton_block": block,
        "triton_warps": warps,
        "seconds": seconds,
        "relative_error_of_gradient": errors,
    }
    print(f"{result['device']}, torch {torch.__version__}, [{rows}, {vocabulary}], "
          f"copy {bandwidth / 1e12:.2f} TB/s, triton block {block} warps {warps}")
    for name, each in seconds.items():
        moved = 8 if name == "copy" else 20
        print(f"  {name:8} {1e3 * each:9.3f} ms  {1e12 * each / elements:7.2f} ps/logit  "
              f"{moved * elements / each / bandwidth:5.2f} of copy at {moved} bytes/logit  "
              f"error {errors.get(name, 0):.1e}")
    if len(sys.argv) > 3 and sys.argv[3].endswith(".json"):
        with open(sys.argv[3], "w") as file:
            json.dump(result, file, indent=2)


main()
