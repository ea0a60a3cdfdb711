"""Vectors that say what every objective of the standard library is, found without the compiler.

Every objective is one plain function below, written from its paper's formula over padded NumPy arrays.
The arrays hold mpmath numbers of 150 decimal digits, so formulas are written as in the papers and not in
the forms that survive double precision. Gradients are central differences of those functions with the
step 1e-50, whose error is about 1e-100: no rule of differentiation is used anywhere. What a paper
holds constant ("stop-gradient": advantages, baselines, returns) is computed from `frozen`, a copy of the
inputs that is not moved.

Run by hand: python3 oracle.py (see README.md).
"""

import hashlib
import json
import struct
import sys
from pathlib import Path

import mpmath
import numpy as np
from mpmath import mp, mpf

mp.dps = 150
STEP = mpf(10) ** -50
HERE = Path(__file__).resolve().parent

exp = np.frompyfunc(mp.exp, 1, 1)
log = np.frompyfunc(lambda x: mpf("-inf") if x == 0 else mp.log(x), 1, 1)
sqrt = np.frompyfunc(mp.sqrt, 1, 1)


def s(x):
    """The logistic function."""
    return 1 / (1 + mp.exp(-x))


def ls(x):
    """log s(x)."""
    return -mp.log1p(mp.exp(-x))


def times(p, x):
    """p x, which is 0 for an event of probability 0 whatever x is."""
    return mpf(0) if p == 0 else p * x


def mean(values):
    values = list(values)
    return sum(values, mpf(0)) / len(values)


def clamp(x, low, high):
    return min(max(x, low), high)


def real(x):
    """The number that a double literal of a spec is."""
    return mpf(float(x))


# ---------------------------------------------------------------------------------------------
# Batches: tensors under the names of `align eval`, real ones as arrays of mpf.


# What the sequences of pairs, triples and draws are called.
SIDES = ("chosen.", "rejected.", "y1.", "y2.", "y3.", "a.", "b.")


class Batch:
    """The tensors of one batch; rows are lists of the numbers at positions that exist."""

    def __init__(self, tensors):
        self.t = tensors

    def mask(self, side=""):
        given = self.t.get(side + "mask")
        if given is not None:
            return given.astype(bool)
        along = next(
            v for k, v in self.t.items() if k.startswith(side) and k.endswith(("logp", "logits")) or v.ndim == 2
        )
        return np.ones(along.shape[:2], bool)

    def count(self):
        return next(v for k, v in self.t.items() if k.endswith(("logp", "logits"))).shape[0]

    def vocabulary(self, actor=""):
        """log-softmax of an actor's logits: per row, per existing position, the list over the vocabulary."""
        z, mask = self.t[actor + "logits"], self.mask()
        return [[log_softmax(z[n, t]) for t in np.flatnonzero(mask[n])] for n in range(len(z))]

    def tokens(self, name=""):
        """log-probabilities of the taken tokens, per row; `name` is such as "chosen.ref."."""
        side = name.split(".")[0] + "." if name.startswith(SIDES) else ""
        mask = self.mask(side)
        if name + "logp" in self.t:
            return [list(row[m]) for row, m in zip(self.t[name + "logp"], mask)]
        z, taken = self.t[name + "logits"], self.t[side + "tokens"]
        return [
            [log_softmax(z[n, t])[taken[n, t]] for t in np.flatnonzero(mask[n])] for n in range(len(z))
        ]

    def sums(self, name=""):
        return [sum(row, mpf(0)) for row in self.tokens(name)]

    def ratios(self, name="", actor="ref."):
        """log pi / actor of each whole sequence."""
        return [a - b for a, b in zip(self.sums(name), self.sums(name + actor))]

    def lengths(self, side=""):
        return [int(row.sum()) for row in self.mask(side)]

    def groups(self):
        """The rows of each prompt."""
        ids = list(self.t["group"])
        return [[k for k in range(len(ids)) if ids[k] == ids[n]] for n in range(len(ids))]


def log_softmax(z):
    return z - log(sum(exp(z), mpf(0)))


# ---------------------------------------------------------------------------------------------
# Divergences D(p || q) = E_q[f(p / q)]: f and f' (Wang et al. 2024, table 1; Go et al. 2023, table 1).


def divergence(name):
    """f and f' by the name that a spec uses."""
    if name.startswith("alpha("):
        a = real(name[len("alpha("):-1])
        return (
            lambda u: (u ** (1 - a) - (1 - a) * u - a) / (a * (a - 1)),
            lambda u: (1 - u ** -a) / a,
        )
    return {
        "reverse_kl": (lambda u: times(u, mp.log(u) if u else u), lambda u: mp.log(u) + 1),
        "KL": (lambda u: times(u, mp.log(u) if u else u), lambda u: mp.log(u) + 1),
        "forward_kl": (lambda u: -mp.log(u), lambda u: -1 / u),
        "jensen_shannon": (
            lambda u: times(u, mp.log(u) if u else u) - (u + 1) * mp.log((u + 1) / 2),
            lambda u: mp.log(2 * u / (u + 1)),
        ),
        "chi_squared": (lambda u: (u - 1) ** 2, lambda u: 2 * (u - 1)),
        "reverse_chi_squared": (lambda u: (1 - u) ** 2 / u, lambda u: 1 - 1 / u**2),
        "squared_hellinger": (lambda u: (mp.sqrt(u) - 1) ** 2, lambda u: 1 - 1 / mp.sqrt(u)),
        "total_variation": (lambda u: abs(u - 1) / 2, lambda u: mpf(int(mp.sign(u - 1))) / 2),
    }[name]


DIVERGENCES = [
    "reverse_kl", "KL", "forward_kl", "jensen_shannon", "alpha(0.3)", "chi_squared",
    "reverse_chi_squared", "squared_hellinger", "total_variation",
]
# The link of the total variation is a sign: a loss of it has no gradient, and the compiler says so.
LINKS = [d for d in DIVERGENCES if d != "total_variation"]


# ---------------------------------------------------------------------------------------------
# Preference losses. h = log pi / ref of a whole sequence, u = f'(pi / ref).


def pairs(x, loss):
    """The mean over pairs of loss(h_chosen, h_rejected)."""
    return mean(map(loss, x.ratios("chosen."), x.ratios("rejected.")))


def link_margins(x, beta, D):
    _, slope = divergence(D)
    return [
        beta * (slope(mp.exp(c)) - slope(mp.exp(j)))
        for c, j in zip(x.ratios("chosen."), x.ratios("rejected."))
    ]


def dpo(x, frozen, beta, D):
    """Rafailov et al. 2023, equation 7; Wang et al. 2024, equation 8."""
    return mean(-ls(m) for m in link_margins(x, beta, D))


def conservative_dpo(x, frozen, beta, smoothing, D):
    """Mitchell 2023: a share `smoothing` of the labels is flipped."""
    return mean(-(1 - smoothing) * ls(m) - smoothing * ls(-m) for m in link_margins(x, beta, D))


def robust_dpo(x, frozen, beta, noise, D):
    """Chowdhury et al. 2024, equation 12."""
    return mean(
        ((1 - noise) * -ls(m) - noise * -ls(-m)) / (1 - 2 * noise) for m in link_margins(x, beta, D)
    )


def hinge_dpo(x, frozen, beta, D):
    """Zhao et al. 2023; Liu et al. 2024."""
    return mean(max(mpf(0), 1 - m) for m in link_margins(x, beta, D))


def link(D):
    """f' without its constant, of h = log pi / ref: the scores of TRL's `f_divergence_type`."""
    if D.startswith("alpha("):
        a = 1 - real(D[len("alpha("):-1])
        return lambda h: mp.exp((a - 1) * h) / (a - 1)
    return {
        "reverse_kl": lambda h: h,
        "forward_kl": lambda h: -mp.exp(-h),
        "jensen_shannon": ls,
    }[D]


def scores(x, side, D):
    return list(map(link(D), x.ratios(side)))


def linked(x, D, loss):
    """The mean over pairs of loss(u_chosen, u_rejected)."""
    return mean(map(loss, scores(x, "chosen.", D), scores(x, "rejected.", D)))


def mean_scores(x, side, D):
    """u / length, 0 without tokens."""
    return [u / max(n, 1) for u, n in zip(scores(x, side, D), x.lengths(side))]


def length_normalized_dpo(x, frozen, beta, D):
    """Lambert et al. 2024; TRL `sigmoid_norm`."""
    return mean(
        -ls(beta * (c - j)) for c, j in zip(mean_scores(x, "chosen.", D), mean_scores(x, "rejected.", D))
    )


def ipo(x, frozen, beta):
    """Azar et al. 2023, equation 17."""
    return pairs(x, lambda c, j: (c - j - 1 / (2 * beta)) ** 2)


def ipo_mean(x, frozen, beta, D):
    """TRL `ipo`: the same with means over tokens."""
    return mean(
        (c - j - 1 / (2 * beta)) ** 2
        for c, j in zip(mean_scores(x, "chosen.", D), mean_scores(x, "rejected.", D))
    )


def ld_dpo(x, frozen, beta, alpha):
    """Liu et al. 2024: tokens beyond the shorter length count alpha times."""
    total = []
    rows = [x.tokens(n) for n in ("chosen.", "chosen.ref.", "rejected.", "rejected.ref.")]
    for c, cr, j, jr in zip(*rows):
        shared = min(len(c), len(j))
        def h(p, r):
            return sum(((1 if t < shared else alpha) * (p[t] - r[t]) for t in range(len(p))), mpf(0))
        total.append(-ls(beta * (h(c, cr) - h(j, jr))))
    return mean(total)


def wpo(x, frozen, beta, D):
    """Zhou et al. 2024, equation 2: exp(mean over tokens of log pi - log sum_v pi^2), constant."""

    def weights(side):
        z, mask, taken = frozen.t[side + "logits"], frozen.mask(side), frozen.t[side + "tokens"]
        result = []
        for n in range(len(z)):
            terms = []
            for t in np.flatnonzero(mask[n]):
                l = log_softmax(z[n, t])
                terms.append(l[taken[n, t]] - mp.log(sum((mp.exp(2 * v) for v in l), mpf(0))))
            result.append(mp.exp(mean(terms)) if terms else mpf(1))
        return result

    margins = [
        beta * (c - j) for c, j in zip(scores(x, "chosen.", D), scores(x, "rejected.", D))
    ]
    return mean(-w * v * ls(m) for w, v, m in zip(weights("chosen."), weights("rejected."), margins))


def discopop_term(z, tau):
    w = s(z / tau)
    return (1 - w) * -ls(z) + w * mp.exp(-z)


def discopop(x, frozen, beta, tau, D):
    """Lu et al. 2024, the log-ratio modulated loss."""
    return linked(x, D, lambda c, j: discopop_term(beta * (c - j), tau))


def smoothed(m, smoothing):
    return -(1 - smoothing) * ls(m) - smoothing * ls(-m)


def ordered(values):
    """Values in ascending order."""
    return sorted(values)


def aot_gaps(x):
    pi = [c - j for c, j in zip(x.sums("chosen."), x.sums("rejected."))]
    ref = [c - j for c, j in zip(x.sums("chosen.ref."), x.sums("rejected.ref."))]
    return [a - b for a, b in zip(ordered(pi), ordered(ref))]


def aot_unpaired_gaps(x):
    return [a - b for a, b in zip(ordered(x.ratios("chosen.")), ordered(x.ratios("rejected.")))]


def aot(x, frozen, beta, smoothing):
    """Melnyk et al. 2024, the paired form."""
    return mean(smoothed(beta * d, smoothing) for d in aot_gaps(x))


def aot_unpaired(x, frozen, beta, smoothing):
    """Melnyk et al. 2024, the unpaired form."""
    return mean(smoothed(beta * d, smoothing) for d in aot_unpaired_gaps(x))


def exo_pair(x, frozen, beta, smoothing, D):
    """Ji et al. 2024, equation 17: KL(q || labels), q the policy's preference."""

    def loss(c, j):
        w, l = s(beta * (c - j)), s(beta * (j - c))
        return w * mp.log(w / (1 - smoothing)) + l * mp.log(l / smoothing)

    return linked(x, D, loss)


def nca_pair(x, frozen, beta, D):
    """Chen et al. 2024; TRL `nca_pair`."""
    return linked(x, D, lambda c, j: -ls(beta * c) - ls(-beta * c) / 2 - ls(-beta * j) / 2)


def bco_pair(x, frozen, beta, D):
    """TRL `bco_pair`."""
    return linked(x, D, lambda c, j: -ls(beta * c) - ls(-beta * j))


def sppo_hard(x, frozen, beta, D):
    """Wu et al. 2024; TRL `sppo_hard`."""
    return linked(x, D, lambda c, j: (c - 1 / (2 * beta)) ** 2 + (j + 1 / (2 * beta)) ** 2)


def apo_zero(x, frozen, beta):
    """D'Oosterlinck et al. 2024, equation 6."""
    return pairs(x, lambda c, j: 1 - s(beta * c) + s(beta * j))


def apo_down(x, frozen, beta, D):
    """D'Oosterlinck et al. 2024, equation 7; TRL's mix of log-ratio and link."""
    rows = zip(x.ratios("chosen."), scores(x, "chosen.", D), scores(x, "rejected.", D))
    return mean(s(beta * h) + 1 - s(beta * (c - j)) for h, c, j in rows)


def chosen_likelihood(x, frozen):
    """TRL `sft`."""
    return -mean(flat(x.tokens("chosen.")))


def preference_mix(x, frozen, beta, smoothing, noise, tau, **weights):
    """TRL's list of losses with weights."""
    k = "reverse_kl"
    terms = {
        "sigmoid": dpo(x, frozen, beta, k),
        "hinge": hinge_dpo(x, frozen, beta, k),
        "ipo": ipo_mean(x, frozen, beta, k),
        "exo": exo_pair(x, frozen, beta, smoothing, k),
        "nca": nca_pair(x, frozen, beta, k),
        "robust": robust_dpo(x, frozen, beta, noise, k),
        "bco": bco_pair(x, frozen, beta, k),
        "sppo": sppo_hard(x, frozen, beta, k),
        "apo_zero": apo_zero(x, frozen, beta),
        "apo_down": apo_down(x, frozen, beta, k),
        "discopop": discopop(x, frozen, beta, tau, k),
        "norm": length_normalized_dpo(x, frozen, beta, k),
        "aot": aot(x, frozen, beta, mpf(0)),
        "aot_unpaired": aot_unpaired(x, frozen, beta, mpf(0)),
        "sft": chosen_likelihood(x, frozen),
    }
    return sum((weights[name] * value for name, value in terms.items()), mpf(0))


# Without a reference.


def mean_logp(x, side):
    return [mean(row) for row in x.tokens(side)]


def likelihood(x, side):
    """The mean log-probability over all tokens."""
    return mean(flat(x.tokens(side)))


def simpo(x, frozen, beta, gamma, smoothing, alpha):
    """Meng et al. 2024, equation 6; TRL's smoothing and likelihood."""
    return mean(
        smoothed(beta * c - beta * j - gamma, smoothing)
        for c, j in zip(mean_logp(x, "chosen."), mean_logp(x, "rejected."))
    ) - alpha * likelihood(x, "chosen.")


def alphapo(x, frozen, beta, gamma, alpha, smoothing, weight):
    """Gupta et al. 2025: (1 - p^-alpha) / alpha with p the geometric mean probability."""

    def worth(mean_logp):
        return (1 - mp.exp(mean_logp) ** -alpha) / alpha

    return mean(
        smoothed(beta * (worth(c) - worth(j)) - gamma, smoothing)
        for c, j in zip(mean_logp(x, "chosen."), mean_logp(x, "rejected."))
    ) - weight * likelihood(x, "chosen.")


def cpo(x, frozen, beta, alpha, smoothing):
    """Xu et al. 2024, equation 6, with TRL's likelihood over all chosen tokens."""
    preference = mean(
        smoothed(beta * (c - j), smoothing) for c, j in zip(x.sums("chosen."), x.sums("rejected."))
    )
    return preference - alpha * likelihood(x, "chosen.")


def cpo_hinge(x, frozen, beta, alpha):
    """TRL CPO `hinge`."""
    return mean(
        max(mpf(0), 1 - beta * (c - j)) for c, j in zip(x.sums("chosen."), x.sums("rejected."))
    ) - alpha * likelihood(x, "chosen.")


def cpo_ipo(x, frozen, beta, alpha):
    """TRL CPO `ipo`."""
    return mean(
        (c - j - 1 / (2 * beta)) ** 2 for c, j in zip(mean_logp(x, "chosen."), mean_logp(x, "rejected."))
    ) - alpha * likelihood(x, "chosen.")


def tpo(kind):
    """Saeidi et al. 2024; TRL TPO `sigmoid`, `hinge`, `ipo`, `tpo-l`."""

    def loss(x, frozen, beta, alpha, gamma=mpf(0)):
        level = mean_logp if kind in ("ipo", "tpo-l") else lambda x, side: x.sums(side)
        total = []
        for c, j in zip(level(x, "y2."), level(x, "y3.")):
            if kind == "hinge":
                total.append(max(mpf(0), 1 - beta * (c - j)))
            elif kind == "ipo":
                total.append((c - j - 1 / (2 * beta)) ** 2)
            else:
                total.append(-ls(beta * (c - j - gamma / beta)))
        return mean(total) - alpha * likelihood(x, "y1.")

    return loss


def orpo(x, frozen, weight):
    """Hong et al. 2024, equations 4 to 7."""

    def log_odds(mean_logp):
        p = mp.exp(mean_logp)
        return mp.log(p / (1 - p))

    return mean(
        -c - weight * ls(log_odds(c) - log_odds(j))
        for c, j in zip(mean_logp(x, "chosen."), mean_logp(x, "rejected."))
    )


def odds_ratio(c, j):
    return mp.log(mp.exp(c) / (1 - mp.exp(c))) - mp.log(mp.exp(j) / (1 - mp.exp(j)))


def orpo_tokens(x, frozen, weight):
    """Hong et al. 2024 with one likelihood over all chosen tokens."""
    rows = zip(mean_logp(x, "chosen."), mean_logp(x, "rejected."))
    return -likelihood(x, "chosen.") - weight * mean(ls(odds_ratio(c, j)) for c, j in rows)


def orpo_with_prompt(x, frozen, weight):
    """Hong et al. 2024 as TRL has it: the likelihood covers the prompt."""

    def level(side):
        result = []
        for row, is_response in zip(x.tokens(side), at_positions(x, side + "feature.response", side)):
            own = [l for l, r in zip(row, is_response) if r == 1]
            result.append(mean(own))
        return result

    odds = mean(ls(odds_ratio(c, j)) for c, j in zip(level("chosen."), level("rejected.")))
    return -likelihood(x, "chosen.") - weight * odds


def slic(x, frozen, margin, weight):
    """Zhao et al. 2023, equation 2, the target of the regulariser being the chosen response."""
    return mean(
        max(mpf(0), margin - c + j) - weight * c
        for c, j in zip(x.sums("chosen."), x.sums("rejected."))
    )


# Unpaired.


def kto_value(x, z, beta, desirable, undesirable):
    return mean(
        desirable * (1 - s(beta * (h - z))) if good else undesirable * (1 - s(beta * (z - h)))
        for h, good in zip(x.ratios(), x.t["label"])
    )


def kto(x, frozen, beta, desirable, undesirable):
    """Ethayarajh et al. 2024, equation 8, the reference point being the batch's own mean."""
    return kto_value(x, max(mpf(0), mean(frozen.ratios())), beta, desirable, undesirable)


def kto_mismatched(x, frozen, beta, desirable, undesirable):
    """Ethayarajh et al. 2024, equation 8, the reference point from mismatched responses."""
    z = max(mpf(0), mean(x.t["feature.mismatched"]))
    return kto_value(x, z, beta, desirable, undesirable)


def bco(x, frozen, beta):
    """Jung et al. 2024; TRL BCO."""
    return mean(
        -ls(beta * h - delta) if good else -ls(-(beta * h - delta))
        for h, delta, good in zip(x.ratios(), x.t["feature.delta"], x.t["label"])
    )


def apo_zero_unpaired(x, frozen, beta, desirable, undesirable):
    """TRL KTO `apo_zero_unpaired`."""
    return mean(
        desirable * (1 - s(beta * h)) if good else undesirable * s(beta * h)
        for h, good in zip(x.ratios(), x.t["label"])
    )


def running_baseline(x, beta):
    """The mean of all implicit rewards, those of this batch included."""
    total, n = x.t["state.total"], x.t["state.n"]
    rewards = [beta * h for h in x.ratios()]
    return (total + sum(rewards, mpf(0))) / (n + len(rewards))


def bco_running(x, frozen, beta):
    """TRL BCO with its running mean."""
    delta = running_baseline(frozen, beta)
    return mean(
        -ls(beta * h - delta) if good else -ls(-(beta * h - delta)) for h, good in zip(x.ratios(), x.t["label"])
    )


def bco_matched(x, frozen, beta, low, high):
    """TRL BCO with its running mean and density ratios."""
    delta = running_baseline(frozen, beta)
    total = []
    for h, good, p in zip(x.ratios(), x.t["label"], x.t["feature.desirable_prompt"]):
        w = clamp(p / (1 - p + real(1e-8)), low, high)
        total.append(-ls(beta * h - delta) if good else -w * ls(-(beta * h - delta)))
    return mean(total)


def bco_states(x, beta, low=None, high=None):
    rewards = [beta * h for h in x.ratios()]
    return {
        "state.total": x.t["state.total"] + sum(rewards, mpf(0)),
        "state.n": x.t["state.n"] + len(rewards),
    }


# On fresh draws.


def online_margins(x):
    return [
        ha - hb if ra >= rb else hb - ha
        for ha, hb, ra, rb in zip(x.ratios("a."), x.ratios("b."), x.t["a.reward.score"], x.t["b.reward.score"])
    ]


def online_dpo(x, frozen, beta):
    """Guo et al. 2024."""
    return mean(-ls(beta * m) for m in online_margins(x))


def online_ipo(x, frozen, beta):
    """Guo et al. 2024 with Azar et al. 2023, equation 17."""
    return mean((m - 1 / (2 * beta)) ** 2 for m in online_margins(x))


def xpo(x, frozen, beta, alpha):
    """Xie et al. 2024."""
    return mean(-ls(beta * m) + alpha * l for m, l in zip(online_margins(x), x.sums("b.")))


def xpo_ipo(x, frozen, beta, alpha):
    """Xie et al. 2024 with the squared loss."""
    return mean((m - 1 / (2 * beta)) ** 2 + alpha * l for m, l in zip(online_margins(x), x.sums("b.")))


def nash_md(x, frozen, beta):
    """Munos et al. 2023; TRL NashMD."""
    total = []
    rows = zip(x.tokens(), frozen.tokens(), frozen.tokens("ref."), x.t["reward.preference"])
    for new, held, ref, preference in rows:
        kl = sum(((h - r) * p for p, h, r in zip(new, held, ref)), mpf(0))
        total.append(beta * kl - (preference - mpf("0.5")) * sum(new, mpf(0)))
    return mean(total)


def sppo(x, frozen, eta):
    """Wu et al. 2024, equation 4.4."""
    rows = zip(x.ratios("", "old."), x.t["reward.preference"])
    return mean((h - eta * (p - mpf("0.5"))) ** 2 for h, p in rows)


def a_star_po(x, frozen, value_beta, beta):
    """Brantley et al. 2025."""
    total = []
    for h, r, others in zip(x.ratios(), x.t["reward.score"], x.t["reward.reference_scores"]):
        v = value_beta * mp.log(mean(mp.exp(o / value_beta) for o in others))
        total.append((beta * h - (r - v)) ** 2)
    return mean(total)


# Reward models.


def reward_model(x, frozen, centering, ridge):
    """Ouyang et al. 2022; Eisenstein et al. 2023; safe-rlhf's regularisation: the mean square of all scores."""
    rows = list(zip(x.t["chosen.learn.r"], x.t["rejected.learn.r"]))
    squares = mean(v * v for row in rows for v in row)
    return mean(-ls(c - j) + centering * (c + j) ** 2 for c, j in rows) + ridge * squares


def reward_model_with_margin(x, frozen, centering):
    """Touvron et al. 2023, equation 2."""
    rows = zip(x.t["chosen.learn.r"], x.t["rejected.learn.r"], x.t["feature.margin"])
    return mean(-ls(c - j - m) + centering * (c + j) ** 2 for c, j, m in rows)


def cost_model(x, frozen, ridge):
    """Dai et al. 2024, equation 6."""
    columns = [x.t[k] for k in ("chosen.learn.c", "rejected.learn.c", "chosen.feature.harm", "rejected.feature.harm")]
    total = [-ls(c - j) - ls(hc * c) - ls(hj * j) for c, j, hc, hj in zip(*columns)]
    return mean(total) + ridge * mean(v * v for k in columns[:2] for v in k)


def process_reward_model(x, frozen):
    """The cross-entropy of two classes at the ends of steps."""
    terms = []
    for values, ends, right in zip(*(at_positions(x, k) for k in ("learn.r", "feature.ends", "feature.right"))):
        terms += [-ls(v) if good else -ls(-v) for v, end, good in zip(values, ends, right) if end]
    return sum(terms, mpf(0)) / max(len(terms), 1)


# ---------------------------------------------------------------------------------------------
# Estimators: functions of the returns R of the rows, which are constants, to the loss.


def others(returns, groups, n):
    rest = [returns[k] for k in groups[n] if k != n]
    return returns[n] - mean(rest) if rest else mpf(0)


def centred(returns, groups):
    return [returns[n] - mean(returns[k] for k in groups[n]) for n in range(len(returns))]


def standardised(returns, groups, epsilon):
    """(R - mean) / (std + epsilon) with the sample deviation of torch.std, 0 for a group of one."""
    result = []
    for n in range(len(returns)):
        group = [returns[k] for k in groups[n]]
        centre = mean(group)
        variance = sum(((r - centre) ** 2 for r in group), mpf(0)) / max(len(group) - 1, 1)
        result.append((returns[n] - centre) / (mp.sqrt(variance) + epsilon))
    return result


def clipped(ratio, a, low, high):
    return min(ratio * a, clamp(ratio, 1 - low, 1 + high) * a)


def token_terms(x, advantages, low, high):
    """The clipped surrogate of each token, per row."""
    return [
        [clipped(mp.exp(p - o), a, low, high) for p, o in zip(new, old)]
        for new, old, a in zip(x.tokens(), x.tokens("old."), advantages)
    ]


def flat(rows):
    return [value for row in rows for value in row]


def reinforce(x, R):
    """Williams 1992, with the batch's mean as baseline."""
    return -mean((r - mean(R)) * lp for r, lp in zip(R, x.sums()))


def rloo(x, R):
    """Ahmadian et al. 2024, equation 7."""
    groups = x.groups()
    return -mean(others(R, groups, n) * lp for n, lp in enumerate(x.sums()))


def ppo(x, R, clip):
    """Schulman et al. 2017, equation 7, with the group's mean as baseline."""
    return -mean(flat(token_terms(x, centred(R, x.groups()), clip, clip)))


def grpo(x, R, clip, epsilon):
    """Shao et al. 2024, equation 3."""
    terms = token_terms(x, standardised(R, x.groups(), epsilon), clip, clip)
    return -mean(mean(row) for row in terms)


def dr_grpo(x, R, clip, length):
    """Liu et al. 2025, equation 3, divided by a constant length."""
    terms = token_terms(x, centred(R, x.groups()), clip, clip)
    return -mean(sum(row, mpf(0)) / length for row in terms)


def dapo(x, R, low, high, epsilon):
    """Yu et al. 2025, equation 8."""
    return -mean(flat(token_terms(x, standardised(R, x.groups(), epsilon), low, high)))


def gspo(x, R, low, high, epsilon):
    """Zheng et al. 2025, equations 5 and 7."""
    total = []
    for new, old, a in zip(x.tokens(), x.tokens("old."), standardised(R, x.groups(), epsilon)):
        geometric = mp.exp(mean(p - o for p, o in zip(new, old)))
        total.append(clipped(geometric, a, low, high))
    return -mean(total)


def cispo(x, R, frozen, low, high, epsilon):
    """MiniMax 2025, equations 4 and 5: the capped ratio is a constant weight."""
    terms = []
    rows = zip(x.tokens(), frozen.tokens(), x.tokens("old."), standardised(R, x.groups(), epsilon))
    for new, held, old, a in rows:
        terms += [clamp(mp.exp(h - o), 1 - low, 1 + high) * a * p for p, h, o in zip(new, held, old)]
    return -mean(terms)


def exact(x, R):
    """The sum over all responses of each prompt, averaged over prompts."""
    prompts = len(set(x.t["group"]))
    return -sum((mp.exp(lp) * r for lp, r in zip(x.sums(), R)), mpf(0)) / prompts


def estimator(name):
    """An objective E[r] - beta KL(pi || ref) under the named estimator; the KL is in the return."""

    def loss(x, frozen, beta, **options):
        R = [r - beta * h for r, h in zip(frozen.t["reward.r"], frozen.ratios())]
        if name == "cispo":
            return cispo(x, R, frozen, **options)
        return globals()[name](x, R, **options)

    return loss


# The libraries' advantages: functions of the returns of the rows and their groups.


def deviation(values, ddof):
    """The standard deviation; 0 for fewer values than it needs."""
    values = list(values)
    centre = mean(values)
    return mp.sqrt(sum(((v - centre) ** 2 for v in values), mpf(0)) / max(len(values) - ddof, 1))


def of_group(R, groups, n):
    return [R[k] for k in groups[n]]


def scaled(R, groups, epsilon, by_group, by_batch):
    """TRL's `scale_rewards`."""
    if by_batch:
        return [c / (deviation(R, 1) + epsilon) for c in centred(R, groups)]
    return standardised(R, groups, epsilon) if by_group else centred(R, groups)


def verl_grpo(R, groups, epsilon):
    """verl: a group of one has mean 0 and deviation 1."""
    return [
        R[n] / (1 + epsilon) if len(groups[n]) == 1 else a
        for n, a in enumerate(standardised(R, groups, epsilon))
    ]


def verl_grpo_vectorized(R, groups, epsilon):
    result = []
    for n, c in enumerate(centred(R, groups)):
        root = mp.sqrt(max(deviation(of_group(R, groups, n), 1) ** 2, epsilon))
        result.append(R[n] / (1 + epsilon) if len(groups[n]) == 1 else c / (root + epsilon))
    return result


def population_standardised(R, groups, epsilon):
    return [
        c / (deviation(of_group(R, groups, n), 0) + epsilon) for n, c in enumerate(centred(R, groups))
    ]


def centred_or_raw(R, groups):
    return [R[n] if len(groups[n]) == 1 else c for n, c in enumerate(centred(R, groups))]


def verl_rloo(R, groups):
    return [R[n] if len(groups[n]) == 1 else others(R, groups, n) for n in range(len(R))]


def leave_one_out_normalized(R, groups, epsilon):
    """NeMo: mean and deviation of the others of the prompt."""
    result = []
    for n in range(len(R)):
        rest = [R[k] for k in groups[n] if k != n]
        a = others(R, groups, n)
        spread = deviation(rest, 1) if rest else mpf(0)
        result.append(a / (spread + epsilon) if spread > 0 else a)
    return result


def whitened(values, epsilon):
    values = list(values)
    return [(v - mean(values)) / (deviation(values, 1) + epsilon) for v in values]


def passk(R, groups, epsilon, by_deviation):
    result = []
    for n in range(len(R)):
        group = sorted(of_group(R, groups, n))
        if len(group) < 2 or R[n] < group[-1] or group[-1] == group[-2]:
            result.append(mpf(0))
            continue
        ahead = group[-1] - group[-2]
        result.append(ahead / (deviation(group, 1) + epsilon) if by_deviation else ahead)
    return result


def opo(R, groups, lengths):
    result = []
    for n in range(len(R)):
        weighed = sum((lengths[k] * R[k] for k in groups[n]), mpf(0))
        total = sum(lengths[k] for k in groups[n])
        result.append(R[n] if len(groups[n]) == 1 else R[n] - weighed / total)
    return result


def gpg(R, groups):
    factor = mpf(len(R)) / max(sum(1 for r in R if r != 0), 1)
    return [factor * c for c in centred_or_raw(R, groups)]


def token_whitened(rows):
    """TRL's masked_whiten."""
    values = flat(rows)
    centre, root = mean(values), mp.sqrt(deviation(values, 1) ** 2 + real(1e-8))
    return [[(v - centre) / root for v in row] for row in rows]


def token_whitened_shifted(rows):
    """verl's masked_whiten, whose means add 1e-8 to the number of tokens."""
    values = flat(rows)
    n = len(values)
    centre = sum(values, mpf(0)) / (n + real(1e-8))
    variance = sum(((v - centre) ** 2 for v in values), mpf(0)) / (n + real(1e-8)) * n / max(n - 1, 1)
    return [[(v - centre) / mp.sqrt(variance + real(1e-8)) for v in row] for row in rows]


def token_normalized(rows):
    """OpenRLHF's normalisation."""
    values = flat(rows)
    centre, root = mean(values), mp.sqrt(max(deviation(values, 0) ** 2, real(1e-8)))
    return [[(v - centre) / root for v in row] for row in rows]


# Their ratios, terms and aggregations, per row a list over its tokens.


def log_ratios(x, new="", other="old."):
    return [[p - o for p, o in zip(a, b)] for a, b in zip(x.tokens(new), x.tokens(other))]


def ratios_at(x, frozen, by_sequence=False, by_sequence_token=False):
    """TRL's `importance_sampling_level`."""
    result = []
    for row, held, new, stopped in zip(log_ratios(x), log_ratios(frozen), x.tokens(), frozen.tokens()):
        if by_sequence_token:
            whole = mp.exp(mean(held)) if held else mpf(1)
            result.append([whole * mp.exp(p - q) for p, q in zip(new, stopped)])
        elif by_sequence:
            result.append([mp.exp(mean(row))] * len(row) if row else [])
        else:
            result.append([mp.exp(v) for v in row])
    return result


def bounded_ratios(x):
    return [[mp.exp(clamp(v, mpf(-20), mpf(20))) for v in row] for row in log_ratios(x)]


def dual_clipped(ratio, a, low, high, bound):
    return max(clipped(ratio, a, low, high), bound * a) if a < 0 else clipped(ratio, a, low, high)


def trl_clip(ratio, a, low, high, bounded, delta):
    first = min(ratio, delta) if bounded else ratio
    return min(first * a, clamp(ratio, 1 - low, 1 + high) * a)


def sapo_gate(ratio, a, positive, negative):
    tau = positive if a > 0 else negative
    return 4 / tau * s(tau * (ratio - 1)) * a


def each(rows, *columns):
    """Rows of tuples: token-level columns, and advantages per row repeated at its tokens."""
    result = []
    for n, row in enumerate(rows):
        others_ = [c[n] if isinstance(c[n], list) else [c[n]] * len(row) for c in columns]
        result.append(list(zip(row, *others_)))
    return result


def mapped(f, rows):
    return [[f(*values) for values in row] for row in rows]


def weighed(x, rows):
    """Times the column of weights."""
    return [[w * v for w, v in zip(ws, row)] for ws, row in zip(at_positions(x, "feature.w"), rows)]


def mean_of_means(rows):
    return mean(sum(row, mpf(0)) / max(len(row), 1) for row in rows)


def mean_of_shifted_means(rows):
    """verl: rows without tokens do not count."""
    return mean(sum(row, mpf(0)) / (len(row) + real(1e-8)) for row in rows if row)


def mean_of_sums(rows):
    return mean(sum(row, mpf(0)) for row in rows)


def verl_aggregated(rows, by_sequence, by_length, by_constant, scale):
    if by_constant:
        return sum(flat(rows), mpf(0)) / scale
    if by_length:
        return mean_of_shifted_means(rows)
    return mean_of_sums([row for row in rows if row]) if by_sequence else mean(flat(rows))


def sequence_estimator(f):
    """E[score] - beta KL(pi || ref) under f(x, frozen, R, **options), which is maximised."""

    def loss(x, frozen, beta, **options):
        R = [r - beta * h for r, h in zip(frozen.t["reward.score"], frozen.ratios())]
        return -f(x, frozen, R, **options)

    return loss


def token_estimator(f):
    """The same with rewards per token: the KL at each, the score at the last."""

    def loss(x, frozen, beta, **options):
        rewards = [[-beta * v for v in row] for row in log_ratios(frozen, "", "ref.")]
        for row, score in zip(rewards, frozen.t["reward.score"]):
            if row:
                row[-1] += score
        return -f(x, frozen, rewards, **options)

    return loss


# TRL.


def trl_terms(x, frozen, R, low, high, epsilon, by_group, by_batch, by_sequence, by_sequence_token, bounded, delta):
    a = scaled(R, x.groups(), epsilon, by_group, by_batch)
    rows = each(ratios_at(x, frozen, by_sequence, by_sequence_token), a)
    return weighed(x, mapped(lambda ratio, a: trl_clip(ratio, a, low, high, bounded, delta), rows))


def trl_grpo(x, frozen, R, **options):
    return mean_of_means(trl_terms(x, frozen, R, **options))


def trl_dapo(x, frozen, R, **options):
    return mean(flat(trl_terms(x, frozen, R, **options)))


def trl_dr_grpo(x, frozen, R, length, **options):
    return mean_of_sums(trl_terms(x, frozen, R, **options)) / length


def trl_cispo(x, frozen, R, cap, epsilon, by_group, by_batch, by_sequence, by_sequence_token):
    a = scaled(R, x.groups(), epsilon, by_group, by_batch)
    rows = each(x.tokens(), a, ratios_at(frozen, frozen, by_sequence, by_sequence_token))
    return mean(flat(weighed(x, mapped(lambda p, a, ratio: min(ratio, cap) * a * p, rows))))


def trl_sapo(x, frozen, R, positive, negative, epsilon, by_group, by_batch, by_sequence, by_sequence_token):
    a = scaled(R, x.groups(), epsilon, by_group, by_batch)
    rows = each(ratios_at(x, frozen, by_sequence, by_sequence_token), a)
    return mean_of_means(weighed(x, mapped(lambda ratio, a: sapo_gate(ratio, a, positive, negative), rows)))


def trl_luspo(x, frozen, R, low, high, epsilon, by_group, by_batch, bounded, delta):
    a = scaled(R, x.groups(), epsilon, by_group, by_batch)
    total = []
    for row, advantage in zip(log_ratios(x), a):
        ratio = mp.exp(mean(row)) if row else mpf(1)
        total.append(len(row) * trl_clip(ratio, advantage, low, high, bounded, delta))
    return mean(total)


def trl_vespo(
    x, frozen, R, positive_k, positive_lambda, negative_k, negative_lambda, epsilon, by_group, by_batch
):
    a = scaled(R, x.groups(), epsilon, by_group, by_batch)
    total = []
    for new, row, advantage, correction in zip(x.tokens(), log_ratios(frozen), a, x.t["feature.log_weight"]):
        log_w = sum((clamp(v, mpf(-20), mpf(20)) for v in row), mpf(0)) + correction
        log_w = clamp(log_w, mp.log(real(1e-8)), mpf(20))
        k, l = (positive_k, positive_lambda) if advantage >= 0 else (negative_k, negative_lambda)
        phi = mp.exp(l + k * log_w - l * mp.exp(log_w))
        total += [phi * advantage * p for p in new]
    return mean(total)


def geometric_clip(row, a, low, high, shift):
    """GMPO: one-sided clipping of token log-ratios, then the geometric mean."""
    side = mp.sign(a)
    bounded = [side * min(side * v, side * clamp(v, -low, high)) for v in row]
    n = len(row) + real(1e-8) if shift else max(len(row), 1)
    return mp.exp(sum(bounded, mpf(0)) / n)


def trl_gmpo(x, frozen, R, low, high, epsilon, by_group, by_batch):
    a = scaled(R, x.groups(), epsilon, by_group, by_batch)
    return mean(geometric_clip(row, v, low, high, False) * v for row, v in zip(log_ratios(x), a))


def trl_rloo(x, frozen, R, low, high, whiten, epsilon):
    groups = x.groups()
    a = [others(R, groups, n) for n in range(len(R))]
    a = whitened(a, epsilon) if whiten else a
    return mean(clipped(mp.exp(sum(row, mpf(0))), v, low, high) for row, v in zip(log_ratios(x), a))


# verl.


def verl_advantages(x, R, raw):
    return R if raw else verl_grpo(R, x.groups(), real(1e-6))


def verl_vanilla(x, frozen, R, low, high, bound, raw, **how):
    rows = each(bounded_ratios(x), verl_advantages(x, R, raw))
    return verl_aggregated(
        weighed(x, mapped(lambda ratio, a: dual_clipped(ratio, a, low, high, bound), rows)), **how
    )


def verl_gspo(x, frozen, R, low, high, raw):
    rows = []
    for new, held, row in zip(x.tokens(), frozen.tokens(), log_ratios(frozen)):
        whole = sum(row, mpf(0)) / max(len(row), 1)
        rows.append([mp.exp(min(p - q + whole, mpf(10))) for p, q in zip(new, held)])
    rows = each(rows, verl_advantages(x, R, raw))
    return mean_of_shifted_means(weighed(x, mapped(lambda ratio, a: clipped(ratio, a, low, high), rows)))


def verl_sapo(x, frozen, R, positive, negative, raw):
    rows = each(bounded_ratios(x), verl_advantages(x, R, raw))
    return mean_of_shifted_means(
        weighed(x, mapped(lambda ratio, a: sapo_gate(ratio, a, positive, negative), rows))
    )


def verl_gpg(x, frozen, R, raw, **how):
    rows = each(x.tokens(), R if raw else gpg(R, x.groups()))
    return verl_aggregated(weighed(x, mapped(lambda p, a: p * a, rows)), **how)


def covariances(frozen, a):
    rows = each(frozen.tokens(), a)
    centre_a, centre_l = mean(a for row in rows for _, a in row), mean(p for row in rows for p, _ in row)
    return mapped(lambda p, a: (a - centre_a) * (p - centre_l), rows)


def verl_clip_cov(x, frozen, R, share, low, high, least, most, raw, **how):
    a = verl_advantages(x, R, raw)
    rows = each(ratios_at(x, frozen), a, covariances(frozen, a), at_positions(x, "feature.draw"))

    def drawable(ratio, a, cov):
        return least < cov < most and not clamp(ratio, 1 - low, 1 + high) * a < ratio * a

    draws = sorted(draw for ratio, a, cov, draw in flat(rows) if drawable(ratio, a, cov))
    out = draws[: max(1, int(float(share) * len(flat(rows))))]

    def term(ratio, a, cov, draw):
        return mpf(0) if drawable(ratio, a, cov) and draw in out else clipped(ratio, a, low, high)

    return verl_aggregated(weighed(x, mapped(term, rows)), **how)


def largest(rows, share):
    """The same rows with whether a token is among the largest; of equal ones the first."""
    places = sorted((-v, n, t) for n, row in enumerate(rows) for t, v in enumerate(row))
    # In double precision, as every library counts.
    top = {(n, t) for _, n, t in places[: max(1, int(float(share) * len(places)))]}
    return [[(n, t) in top for t in range(len(row))] for n, row in enumerate(rows)]


def verl_kl_cov(x, frozen, R, share, price, raw, **how):
    a = verl_advantages(x, R, raw)

    def term(v, a, top):
        return mp.exp(v) * a - (price * abs(v) if top else 0)

    rows = each(log_ratios(x), a, largest(covariances(frozen, a), share))
    return verl_aggregated(weighed(x, mapped(term, rows)), **how)


def verl_geo_mean(x, frozen, R, low, high, raw):
    total = []
    for row, a, ws in zip(log_ratios(x), verl_advantages(x, R, raw), at_positions(x, "feature.w")):
        n = len(row)
        w = mp.exp(sum((mp.log(w + real(1e-10)) for w in ws), mpf(0)) / (n + real(1e-8)))
        total.append(w * geometric_clip(row, a, low, high, True) * a * n / (n + real(1e-8)))
    return mean(total)


def token_baseline(x, frozen, rewards, tail, low, high, bound):
    """Per position and prompt, over the padded arrays of rows."""
    returns = [to_go(row, mpf(1)) for row in rewards]
    weights = []
    for old, squares, c in zip(x.tokens("old."), at_positions(x, "feature.squares"), at_positions(x, "feature.c")):
        steps = [(1 - 2 * mp.exp(p) + q) * w**2 for p, q, w in zip(old, squares, c)]
        weights.append([sum(steps[: t + 1], mpf(0)) for t in range(len(steps))])
    a = []
    for n, members in enumerate(x.groups()):
        row = []
        for t, g in enumerate(returns[n]):
            there = [k for k in members if t < len(returns[k])]
            above = sum((returns[k][t] * weights[k][t] for k in there), mpf(0))
            b = above / (sum((weights[k][t] for k in there), mpf(0)) + real(1e-8))
            row.append(g - (0 if len(there if tail else members) == 1 else b))
        a.append(row)
    return dual_token_mean(x, a, low, high, bound)


def verl_optimal_token_baseline(x, frozen, rewards, **options):
    return token_baseline(x, frozen, rewards, **options)


def verl_tir_optimal_token_baseline(x, frozen, rewards, **options):
    return token_baseline(x, frozen, rewards, **options)


def verl_cispo(x, frozen, R, low, high, raw, **how):
    rows = each(x.tokens(), verl_advantages(x, R, raw), bounded_ratios(frozen))
    terms = mapped(lambda p, a, ratio: clamp(ratio, 1 - low, 1 + high) * a * p, rows)
    return verl_aggregated(weighed(x, terms), **how)


def verl_reinforce(x, frozen, R, raw, **how):
    rows = each(x.tokens(), verl_advantages(x, R, raw))
    return verl_aggregated(weighed(x, mapped(lambda p, a: p * a, rows)), **how)


def to_go(row, discount):
    return [sum((discount ** (k - t) * row[k] for k in range(t, len(row))), mpf(0)) for t in range(len(row))]


def dual_token_mean(x, a, low, high, bound):
    rows = each(bounded_ratios(x), a)
    return mean(flat(weighed(x, mapped(lambda ratio, a: dual_clipped(ratio, a, low, high, bound), rows))))


def verl_reinforce_plus_plus(x, frozen, rewards, discount, low, high, bound):
    a = token_whitened_shifted([to_go(row, discount) for row in rewards])
    return dual_token_mean(x, a, low, high, bound)


def verl_reinforce_plus_plus_baseline(x, frozen, R, low, high, bound):
    a = centred_or_raw(R, x.groups())
    a = token_whitened_shifted([[v] * n for v, n in zip(a, x.lengths())])
    return dual_token_mean(x, a, low, high, bound)


def verl_remax(x, frozen, rewards, low, high, bound):
    a = [[g - greedy for g in to_go(row, mpf(1))] for row, greedy in zip(rewards, x.t["reward.greedy"])]
    return dual_token_mean(x, a, low, high, bound)


# OpenRLHF, NeMo RL, open-instruct.


def openrlhf(x, rows, a, low, high, dual, bound, by_sample):
    def term(ratio, a):
        return dual_clipped(ratio, a, low, high, bound) if dual else clipped(ratio, a, low, high)

    terms = weighed(x, mapped(term, each(rows, a)))
    return mean_of_means(terms) if by_sample else mean(flat(terms))


def openrlhf_reinforce(x, frozen, rewards, discount, **options):
    return openrlhf(x, bounded_ratios(x), token_normalized([to_go(row, discount) for row in rewards]), **options)


def openrlhf_reinforce_baseline(x, frozen, R, **options):
    a = token_normalized([[v] * n for v, n in zip(centred(R, x.groups()), x.lengths())])
    return openrlhf(x, bounded_ratios(x), a, **options)


def openrlhf_rloo(x, frozen, R, **options):
    groups = x.groups()
    return openrlhf(x, bounded_ratios(x), [others(R, groups, n) for n in range(len(R))], **options)


def openrlhf_group_norm(x, frozen, R, epsilon, by_deviation, **options):
    a = standardised(R, x.groups(), epsilon) if by_deviation else centred(R, x.groups())
    return openrlhf(x, bounded_ratios(x), a, **options)


def openrlhf_gspo(x, frozen, R, low, high, epsilon):
    a = standardised(R, x.groups(), epsilon)
    return openrlhf(x, ratios_at(x, frozen, by_sequence=True), a, low, high, False, mpf(3), True)


def nemo_grpo(x, frozen, R, low, high, dual, bound, by_sequence_ratio, by_sequence, raw):
    a = R if raw else leave_one_out_normalized(R, x.groups(), real(1e-6))
    return openrlhf(x, ratios_at(x, frozen, by_sequence=by_sequence_ratio), a, low, high, dual, bound, by_sequence)


def open_instruct_advantages(x, R, by_deviation):
    return population_standardised(R, x.groups(), real(1e-8)) if by_deviation else centred(R, x.groups())


def open_instruct_dapo(x, frozen, R, low, high, by_deviation):
    a = open_instruct_advantages(x, R, by_deviation)
    return openrlhf(x, ratios_at(x, frozen), a, low, high, False, mpf(3), False)


def open_instruct_cispo(x, frozen, R, high, by_deviation):
    rows = each(x.tokens(), open_instruct_advantages(x, R, by_deviation), ratios_at(frozen, frozen))
    return mean(flat(weighed(x, mapped(lambda p, a, ratio: min(ratio, 1 + high) * a * p, rows))))


# With a critic.


def gae(rewards, values, discount, trace):
    """Schulman et al. 2016, equation 16, as a double sum."""
    n = len(rewards)
    delta = [rewards[t] + (discount * values[t + 1] if t + 1 < n else 0) - values[t] for t in range(n)]
    return [sum(((discount * trace) ** k * delta[t + k] for k in range(n - t)), mpf(0)) for t in range(n)]


def advantages_and_targets(x, rewards, discount, trace, critic_trace=None):
    before = at_positions(x, "old.learn.v")
    traces = trace if isinstance(trace, list) else [trace] * len(before)
    a = [gae(r, v, discount, l) for r, v, l in zip(rewards, before, traces)]
    again = a if critic_trace is None else [gae(r, v, discount, critic_trace) for r, v in zip(rewards, before)]
    targets = [[g + v for g, v in zip(row, vs)] for row, vs in zip(again, before)]
    return a, targets


def value_errors(x, targets, clip):
    def error(v, before, target):
        return max((v - target) ** 2, (clamp(v, before - clip, before + clip) - target) ** 2)

    return mapped(error, each(at_positions(x, "learn.v"), at_positions(x, "old.learn.v"), targets))


def clipped_rows(rows, a, low, high):
    return mapped(lambda ratio, a: clipped(ratio, a, low, high), each(rows, a))


def trl_ppo(x, frozen, rewards, clip, discount, **options):
    trace, weight, value_clip, whiten = (options[k] for k in ("lambda", "weight", "value_clip", "whiten"))
    a, targets = advantages_and_targets(frozen, rewards, discount, trace)
    a = token_whitened(a) if whiten else a
    error = mean(flat(value_errors(x, targets, value_clip)))
    return mean(flat(clipped_rows(ratios_at(x, frozen), a, clip, clip))) - weight / 2 * error


def verl_ppo(x, frozen, rewards, low, high, bound, discount, value_clip, weight, **options):
    a, targets = advantages_and_targets(frozen, rewards, discount, options["lambda"])
    rows = each(bounded_ratios(x), token_whitened_shifted(a))
    terms = mapped(lambda ratio, a: dual_clipped(ratio, a, low, high, bound), rows)
    return mean(flat(terms)) - weight / 2 * mean(flat(value_errors(x, targets, value_clip)))


def openrlhf_ppo(x, frozen, rewards, low, high, discount, value_clip, weight, normalize, by_sample, **options):
    a, targets = advantages_and_targets(frozen, rewards, discount, options["lambda"])
    terms = clipped_rows(bounded_ratios(x), token_normalized(a) if normalize else a, low, high)
    errors = value_errors(x, targets, value_clip)
    average = mean_of_means if by_sample else lambda rows: mean(flat(rows))
    return average(terms) - weight / 2 * average(errors)


def safe_rlhf_ppo(x, frozen, rewards, clip, discount, value_clip, weight, **options):
    a, targets = advantages_and_targets(frozen, rewards, discount, options["lambda"])
    terms = clipped_rows(ratios_at(x, frozen), a, clip, clip)
    return mean_of_means(terms) - weight / 2 * mean_of_means(value_errors(x, targets, value_clip))


def vapo(x, frozen, rewards, low, high, alpha, discount, critic_lambda, positive, weight, value_clip):
    """Yue et al. 2025."""
    traces = [max(1 - 1 / max(alpha * n, real(1e-12)), mpf(0)) for n in x.lengths()]
    a, targets = advantages_and_targets(frozen, rewards, discount, traces, critic_lambda)
    right = [p for row, r in zip(x.tokens(), rewards) if sum(r, mpf(0)) > 0 for p in row]
    likelihood = sum(right, mpf(0)) / max(len(right), 1)
    terms = clipped_rows(ratios_at(x, frozen), a, low, high)
    return mean(flat(terms)) + positive * likelihood - weight / 2 * mean(flat(value_errors(x, targets, value_clip)))


# ---------------------------------------------------------------------------------------------
# Objectives of expectations, all with leave-one-out baselines.


def rlhf(x, frozen, beta, D):
    """E[r] - beta D(pi || ref); the score of the divergence in the return is f'(pi / ref)."""
    _, slope = divergence(D)
    R = [r - beta * slope(mp.exp(h)) for r, h in zip(x.t["reward.score"], frozen.ratios())]
    return rloo(x, R)


def fit_target(x, frozen, beta, D):
    """Go et al. 2023, equation 2: pseudo-reward -g'(pi / p), g(t) = t f(1 / t), p = ref exp(r / beta) / Z.

    D(p || pi) = E_pi[f(p / pi)] = E_p[g(pi / p)], and g'(t) = f(1 / t) - f'(1 / t) / t.
    """
    f, slope = divergence(D)
    pi = frozen.sums()
    log_density = [lr + r / beta for lr, r in zip(x.sums("ref."), x.t["reward.score"])]
    R = []
    for n, group in enumerate(x.groups()):
        Z = mean(mp.exp(log_density[k] - pi[k]) for k in group)
        u = mp.exp(log_density[n] - mp.log(Z) - pi[n])
        R.append(-(f(u) - slope(u) * u))
    return rloo(x, R)


def moved_log(value, violation, rate):
    """A multiplier whose logarithm moves along the gradient of lambda * violation."""
    return value * mp.exp(rate * violation * value)


def safe_rlhf(x, frozen, beta, threshold):
    """Dai et al. 2024: (A_R - lambda A_C) / (1 + lambda); the logarithm of lambda moves."""
    multiplier = x.t["multiplier.lambda"]
    rows = zip(x.t["reward.helpful"], x.t["reward.cost"], frozen.ratios())
    return rloo(x, [(r - beta * h - multiplier * c) / (1 + multiplier) for r, c, h in rows])


def safe_rlhf_multipliers(x, beta, threshold):
    violation = mean(x.t["reward.cost"]) - threshold
    return {"multiplier.lambda": moved_log(x.t["multiplier.lambda"], violation, real(0.1))}


def constrained_rlhf(x, frozen, least_helpful, most_harm):
    """Moskovitz et al. 2024: KL(pi || ref) with a multiplier for each bound."""
    mu, multiplier = x.t["multiplier.mu"], x.t["multiplier.lambda"]
    rows = zip(x.t["reward.helpful"], x.t["reward.harm"], frozen.ratios())
    return rloo(x, [-h + mu * r - multiplier * c for r, c, h in rows])


def constrained_rlhf_multipliers(x, least_helpful, most_harm):
    mu, multiplier = x.t["multiplier.mu"], x.t["multiplier.lambda"]
    rate = real(0.05)
    return {
        "multiplier.mu": max(mpf(0), mu + rate * (least_helpful - mean(x.t["reward.helpful"]))),
        "multiplier.lambda": max(mpf(0), multiplier + rate * (mean(x.t["reward.harm"]) - most_harm)),
    }


def kl_budget(x, frozen, budget):
    """E[r] with KL(pi || ref) at most `budget`."""
    multiplier = x.t["multiplier.beta"]
    return rloo(x, [r - multiplier * h for r, h in zip(x.t["reward.score"], frozen.ratios())])


def kl_budget_multipliers(x, budget):
    violation = mean(x.ratios()) - budget
    return {"multiplier.beta": moved_log(x.t["multiplier.beta"], violation, real(0.05))}


# Rewards of several models, and shaped ones (Coste et al. 2024; Fu et al. 2025; Yu et al. 2025).


def variance(members, ddof):
    return sum(((m - mean(members)) ** 2 for m in members), mpf(0)) / (len(members) - ddof)


ENSEMBLES = {
    "worst_case": lambda m: min(m),
    "ensemble_mean": lambda m: mean(m),
    "mean_minus_variance": lambda m: mean(m) - real(0.1) * variance(m, 0),
    "lower_confidence_bound": lambda m: mean(m) - mp.sqrt(variance(m, 1)),
}


def ensemble(name):
    return lambda x, frozen: rloo(x, [ENSEMBLES[name](list(row)) for row in x.t["reward.r"]])


def fitted_sigmoid(x):
    """Least squares on 100 points of [-5, 5], by the normal equations."""
    if abs(x) >= 5:
        return mpf(x > 0)
    return sum((c * x**k for k, c in enumerate(FIT)), mpf(0))


def fit():
    points = [mpf(float(v)) for v in np.linspace(-5, 5, 100)]
    left = mp.matrix(6, 6)
    right = mp.matrix(6, 1)
    for i in range(6):
        right[i] = sum((v**i * s(v) for v in points), mpf(0))
        for j in range(6):
            left[i, j] = sum((v ** (i + j) for v in points), mpf(0))
    return list(mp.lu_solve(left, right))


FIT = fit()
SHAPED = {
    "fitted_sigmoid": lambda r, n: fitted_sigmoid(r - real(0.25)),
    "clip_reward": lambda r, n: clamp(r, mpf(-1), mpf(1)),
    "centered_sigmoid": lambda r, n: s(r - real(0.25)),
    "laser_step": lambda r, n: r + (real(0.5) if n <= 3 else 0),
    "soft_overlong": lambda r, n: r + (0 if n <= 3 else -1 if n > 5 else mpf(3 - n) / 2),
    "overlong_unbounded": lambda r, n: r + min(-mpf(n - 3) / 2, mpf(0)),
    "centered_tanh": lambda r, n: mp.tanh(r - real(0.25)),
    "centered_arctan": lambda r, n: mp.atan(r - real(0.25)),
    "ceiling_reward": lambda r, n: min(r, real(0.5)),
    "rescaled": lambda r, n: 2 + (clamp(r, mpf(-1), mpf(1)) + 1) * 3 / 2,
    "missing_end": lambda r, n: r - real(0.5) if n > 3 else r,
    "stop_properly": lambda r, n: r / 2 if n > 3 else r,
    "weighted": lambda r, n: real(0.7) * r + real(0.1) * n,
}


def of_batch(name):
    """Rewards that are shaped by all rewards of the batch."""

    def loss(x, frozen):
        R = list(x.t["reward.r"])
        if name == "min_max":
            return rloo(x, [(r - min(R)) / (max(R) - min(R)) for r in R])
        low, high = mean(R) - deviation(R, 1) / 2, mean(R) + deviation(R, 1) / 2
        return rloo(x, [clamp(r, low, high) for r in R])

    return loss


def shaped(name):
    return lambda x, frozen: rloo(x, list(map(SHAPED[name], x.t["reward.r"], x.lengths())))


def centered(x, frozen):
    """Already centred returns: the baseline is the mean of the others' centred returns."""
    return rloo(x, centred(list(x.t["reward.r"]), x.groups()))


# Objectives around the estimators of the libraries.


def vanilla(x, frozen, R):
    """verl's policy loss with its defaults, which is maximised."""
    rows = each(bounded_ratios(x), verl_grpo(R, x.groups(), real(1e-6)))
    return mean(flat(mapped(lambda ratio, a: dual_clipped(ratio, a, real(0.2), real(0.2), mpf(3)), rows)))


def trl_rows(x, frozen, R):
    a = standardised(R, x.groups(), real(1e-4))
    return clipped_rows(ratios_at(x, frozen), a, real(0.2), real(0.2))


def k3_of(v):
    return mp.exp(-v) + v - 1


def with_kl(average):
    """The surrogate less beta k3 of each token, averaged in one way."""

    def loss(x, frozen, beta, corrected, length=mpf(1)):
        total = []
        rows = zip(trl_rows(x, frozen, x.t["reward.score"]), log_ratios(x, "", "ref."), ratios_at(x, frozen))
        for terms, penalties, ratios in rows:
            total.append([
                term - beta * (ratio if corrected else 1) * k3_of(v)
                for term, v, ratio in zip(terms, penalties, ratios)
            ])
        return -average(total) / length

    return loss


def grpo_for_sampler(x, frozen, cap):
    total = []
    correction = [mp.exp(h) for h in sampler_ratios(x)]
    for row, w in zip(trl_rows(x, frozen, x.t["reward.score"]), correction):
        total += [(w if w <= cap else 0) * term for term in row]
    return -mean(total)


def sampler_ratios(x):
    """log old / sampler of whole sequences."""
    return [a - b for a, b in zip(x.sums("old."), x.sums("sampler."))]


def gdpo(x, frozen, first_weight, second_weight, low, high):
    groups = x.groups()
    parts = [standardised(x.t[k], groups, real(1e-4)) for k in ("reward.first", "reward.second")]
    a = whitened([first_weight * p + second_weight * q for p, q in zip(*parts)], real(1e-4))
    return -mean(flat(clipped_rows(ratios_at(x, frozen), a, low, high)))


def low_var_kl(v):
    """verl's k3 with its two bounds, of v = log p / q."""
    y = clamp(-v, mpf(-20), mpf(20))
    return clamp(mp.exp(y) - y - 1, mpf(-10), mpf(10))


def kl_in_loss(x, frozen, beta, by_k1, by_k2, by_abs, straight):
    rows = log_ratios(x, "", "ref.")
    kind = (lambda v: v) if by_k1 else (lambda v: v * v / 2) if by_k2 else abs if by_abs else low_var_kl
    if straight:
        # The value of one and the gradient of the other: the difference of both is held.
        held = [[kind(v) - v * v / 2 for v in row] for row in log_ratios(frozen, "", "ref.")]
        k = [[v * v / 2 + c for v, c in zip(row, cs)] for row, cs in zip(rows, held)]
    else:
        k = [[kind(v) for v in row] for row in rows]
    return -vanilla(x, frozen, x.t["reward.score"]) + beta * mean(flat(k))


def kl_in_reward(x, frozen, beta, by_k2=False, by_k3=False, by_abs=False):
    kind = (lambda v: v * v / 2) if by_k2 else low_var_kl if by_k3 else abs if by_abs else (lambda v: v)
    rows = log_ratios(x, "old.", "ref.")
    R = [r - beta * sum(map(kind, row), mpf(0)) for r, row in zip(x.t["reward.score"], rows)]
    return -vanilla(x, frozen, R)


def adaptive_kl(x, frozen, target, horizon):
    return kl_in_reward(x, frozen, x.t["state.beta"])


def adaptive_kl_states(x, target, horizon):
    kl = mean_of_means(log_ratios(x, "old.", "ref."))
    error = clamp(kl / target - 1, -real(0.2), real(0.2))
    return {"state.beta": x.t["state.beta"] * (1 + error * len(x.t["reward.score"]) / horizon)}


def mean_entropy(x):
    rows = flat(x.vocabulary())
    return mean(-sum((times(mp.exp(a), a) for a in p if mp.exp(a) != 0), mpf(0)) for p in rows)


def reward_with_entropy(x, frozen, bonus):
    return -vanilla(x, frozen, x.t["reward.score"]) - bonus * mean_entropy(x)


def adaptive_entropy(x, frozen, target, delta, least, most):
    bonus = x.t["state.bonus"] if x.t["state.last"] <= target else mpf(0)
    return reward_with_entropy(x, frozen, bonus)


def adaptive_entropy_states(x, target, delta, least, most):
    h, bonus = mean_entropy(x), x.t["state.bonus"]
    return {
        "state.bonus": min(bonus + delta, most) if h <= target else max(bonus - delta, least),
        "state.last": h,
    }


# Distributional control.


def running_fit_parts(x, beta, D):
    _, slope = divergence(D)
    density = [lr + r / beta for lr, r in zip(x.sums("ref."), x.t["reward.score"])]
    seen = sum((mp.exp(p - q) for p, q in zip(density, x.sums("old."))), mpf(0))
    z = (x.t["state.total"] + seen) / (x.t["state.n"] + len(density))
    return seen, [-slope(mp.exp(l - (p - mp.log(z)))) for l, p in zip(x.sums(), density)]


def running_fit(x, frozen, beta, D):
    """Go et al. 2023, equations 2 and 5; disco's losses."""
    _, pseudo = running_fit_parts(frozen, beta, D)
    baseline = x.t["state.rewards"] / max(x.t["state.n"], mpf(1))
    rows = zip(x.sums(), frozen.ratios("", "old."), pseudo)
    return -mean(mp.exp(h) * (r - baseline) * l for l, h, r in rows)


def running_fit_states(x, beta, D):
    seen, pseudo = running_fit_parts(x, beta, D)
    return {
        "state.total": x.t["state.total"] + seen,
        "state.n": x.t["state.n"] + len(pseudo),
        "state.rewards": x.t["state.rewards"] + sum(pseudo, mpf(0)),
    }


def prompt_fit_parts(x, beta, D):
    """Per row: its prompt's samples so far and in this batch, P / old, and the pseudo-reward."""
    _, slope = divergence(D)
    density = [lr + r / beta for lr, r in zip(x.sums("ref."), x.t["reward.score"])]
    weights = [mp.exp(p - q) for p, q in zip(density, x.sums("old."))]
    for n, rows in enumerate(x.groups()):
        size = x.t["learn.seen"][n] + len(rows)
        z = (x.t["learn.seen"][n] * x.t["learn.z"][n] + sum((weights[k] for k in rows), mpf(0))) / size
        yield size, weights[n], -slope(mp.exp(x.sums()[n] - (density[n] - mp.log(z))))


def prompt_fit(x, frozen, beta, D):
    """Go et al. 2023 with a Z per context: after a step with rate 1 it is the mean over all of its samples."""
    baseline = frozen.t["state.rewards"] / max(frozen.t["state.total"], mpf(1))
    pi, old = frozen.sums(), frozen.sums("old.")
    total, moves = [], mpf(0)
    for n, (size, weight, pseudo) in enumerate(prompt_fit_parts(frozen, beta, D)):
        total.append(-mp.exp(pi[n] - old[n]) * (pseudo - baseline) * x.sums()[n])
        moves += (x.t["learn.z"][n] - frozen.t["learn.z"][n]) * (frozen.t["learn.z"][n] - weight) / size
        moves -= x.t["learn.seen"][n] - frozen.t["learn.seen"][n]
    return mean(total) + moves


def prompt_fit_states(x, beta, D):
    pseudo = [p for _, _, p in prompt_fit_parts(x, beta, D)]
    return {
        "state.rewards": x.t["state.rewards"] + sum(pseudo, mpf(0)),
        "state.total": x.t["state.total"] + len(pseudo),
    }


def fitted(x, frozen, log_density, D):
    """D(pi || p) by leave-one-out REINFORCE on -f'(pi / p), the normaliser from the prompt's samples."""
    _, slope = divergence(D)
    pi = frozen.sums()
    R = []
    for n, group in enumerate(x.groups()):
        z = mean(mp.exp(log_density[k] - pi[k]) for k in group)
        R.append(-slope(mp.exp(pi[n] - (log_density[n] - mp.log(z)))))
    return rloo(x, R)


def pointwise_constraint(x, frozen, cost, D):
    density = [lr - cost * (1 - a) for lr, a in zip(x.sums("ref."), x.t["reward.allowed"])]
    return fitted(x, frozen, density, D)


def log_mean_of(values):
    return mp.log(sum(map(mp.exp, values), mpf(0)))


def moment_fit(x, frozen, moment):
    w, strength = reference_ratios(x), x.t["learn.lambda"]
    tilted = [a + strength * f for a, f in zip(w, x.t["feature.x"])]
    return log_mean_of(tilted) - log_mean_of(w) - strength * moment


def reference_ratios(x):
    """log ref / old."""
    return [a - b for a, b in zip(x.sums("ref."), x.sums("old."))]


def two_moments_fit(x, frozen, first, second):
    w, l, m = reference_ratios(x), x.t["learn.lambda"], x.t["learn.mu"]
    tilted = [a + l * f + m * g for a, f, g in zip(w, x.t["feature.x"], x.t["feature.z"])]
    return log_mean_of(tilted) - log_mean_of(w) - l * first - m * second


def distributional_constraint(x, frozen, moment, D):
    held, strength = frozen.t["learn.lambda"], x.t["learn.lambda"]
    density = [lr + held * f for lr, f in zip(x.sums("ref."), x.t["reward.x"])]
    w = [-h for h in frozen.ratios()]
    tilted = [a + strength * f for a, f in zip(w, x.t["reward.x"])]
    return fitted(x, frozen, density, D) + log_mean_of(tilted) - strength * moment


# Constraints.


def mixture(x, multiplier):
    """(reward - lambda cost) / (1 + lambda)."""
    return [(r - multiplier * c) / (1 + multiplier) for r, c in zip(x.t["reward.score"], x.t["reward.cost"])]


def violation(x, limit):
    return mean(x.t["reward.cost"]) - limit


def ppo_lagrangian(x, frozen, limit, clip):
    return ppo(x, mixture(x, x.t["multiplier.lambda"]), clip)


def ppo_lagrangian_multipliers(x, limit, clip=None):
    return {"multiplier.lambda": max(mpf(0), x.t["multiplier.lambda"] + real(0.035) * violation(x, limit))}


def lagrangian(x, frozen, limit):
    return rloo(x, mixture(x, x.t["multiplier.lambda"]))


def softplus_multipliers(x, limit):
    nu = mp.log(mp.exp(x.t["multiplier.lambda"]) - 1)
    return {"multiplier.lambda": mp.log(1 + mp.exp(nu + real(0.05) * violation(x, limit) * s(nu)))}


def squashed_multipliers(x, limit):
    return {"multiplier.lambda": moved_log(x.t["multiplier.lambda"], violation(x, limit), real(0.01))}


def augmented_lagrangian(x, frozen, limit):
    """The loss at the means, less what the return stands for."""
    multiplier = x.t["multiplier.lambda"]
    slope = max(mpf(0), multiplier + violation(x, limit))
    direct = (slope**2 - multiplier**2) / 2 - slope * mean(x.t["reward.cost"])
    return direct + rloo(x, [r - slope * c for r, c in zip(x.t["reward.score"], x.t["reward.cost"])])


def augmented_multipliers(x, limit):
    return {"multiplier.lambda": max(mpf(0), x.t["multiplier.lambda"] + violation(x, limit))}


def kept_lagrangian(x, frozen, clip, **options):
    return ppo(x, mixture(x, x.t["state.lambda"]), clip)


def adam_states(x, limit, rate, most, clip):
    """torch.optim.Adam on -lambda (cost - limit), then the clamp."""
    g = -violation(x, limit)
    first = real(0.9) * x.t["state.first"] + real(0.1) * g
    second = real(0.999) * x.t["state.second"] + real(0.001) * g**2
    n = x.t["state.steps"] + 1
    step = rate * (first / (1 - real(0.9) ** n)) / (mp.sqrt(second / (1 - real(0.999) ** n)) + real(1e-8))
    after = clamp(x.t["state.lambda"] - step, mpf(0), most)
    return {"state.first": first, "state.second": second, "state.steps": n, "state.lambda": after}


def smoothed_pid_states(x, limit, kp, ki, kd, smoothing, clip):
    v = violation(x, limit)
    integral = max(mpf(0), x.t["state.integral"] + ki * v)
    error = smoothing * x.t["state.error"] + (1 - smoothing) * v
    cost = smoothing * x.t["state.ago1"] + (1 - smoothing) * (v + limit)
    queue = [x.t[f"state.ago{k}"] for k in range(1, 11)]
    after = max(mpf(0), kp * error + integral + kd * max(mpf(0), cost - queue[-1]))
    moved = {f"state.ago{k}": value for k, value in enumerate([cost] + queue[:-1], 1)}
    return moved | {"state.integral": integral, "state.error": error, "state.lambda": after}


def safe_rlhf_ppo_objective(x, frozen, beta, threshold, rate, clip, value_clip, discount, trace):
    rewards, costs = [], []
    for gaps, score, cost in zip(log_ratios(frozen, "old.", "ref."), x.t["reward.score"], x.t["reward.cost"]):
        row, other = [-beta * v for v in gaps], [beta * v for v in gaps]
        if row:
            row[-1] += score
            other[-1] += cost
        rewards.append([clamp(v, mpf(-50), mpf(50)) for v in row])
        costs.append([clamp(v, mpf(-50), mpf(50)) for v in other])
    multiplier = mp.exp(x.t["state.nu"])
    total, mixed = mpf(0), []
    gains = []
    for name, values in (("v", rewards), ("c", costs)):
        before = at_positions(frozen, "old.learn." + name)
        a = [gae(r, b, discount, trace) for r, b in zip(values, before)]
        gains.append(a)
        rows = each(at_positions(x, "learn." + name), before, [[p + q for p, q in zip(u, w)] for u, w in zip(a, before)])
        total += mean_of_means(mapped(
            lambda u, b, target: max((u - target) ** 2, (clamp(u, b - value_clip, b + value_clip) - target) ** 2), rows
        )) / 2
    for a, h in zip(*gains):
        mixed.append([(u - multiplier * w) / (1 + multiplier) for u, w in zip(a, h)])
    return total - mean_of_means(clipped_rows(ratios_at(x, frozen), mixed, clip, clip))


def safe_rlhf_ppo_states(x, beta, threshold, rate, **options):
    nu = x.t["state.nu"]
    return {"state.nu": nu + rate * (mean(x.t["reward.cost"]) - threshold) * mp.exp(nu)}


def pid_lagrangian(x, frozen, limit, clip):
    return ppo(x, mixture(x, x.t["multiplier.lambda"][0]), clip)


def pid_multipliers(x, limit, clip):
    """Stooke et al. 2020: the multiplier, the integral and the last violation."""
    _, integral, previous = x.t["multiplier.lambda"]
    v = violation(x, limit)
    integral = max(mpf(0), integral + real(0.01) * v)
    moved = real(0.1) * v + integral + real(0.01) * max(mpf(0), v - previous)
    return {"multiplier.lambda": [clamp(moved, mpf(0), mpf(100)), integral, v]}


def p3o(x, frozen, limit, kappa, clip):
    groups = x.groups()
    ratios = ratios_at(x, frozen)
    reward = mean(flat(clipped_rows(ratios, centred(x.t["reward.score"], groups), clip, clip)))
    cost = mean(flat(mapped(lambda ratio, a: ratio * a, each(ratios, centred(x.t["reward.cost"], groups)))))
    return -reward + kappa * max(mpf(0), cost + violation(x, limit))


def interior_point(x, frozen, limit, sharpness):
    weight = 1 / (sharpness * -violation(x, limit))
    R = [r - weight * c for r, c in zip(x.t["reward.score"], x.t["reward.cost"])]
    # The loss at the means, less what the return stands for.
    direct = -mp.log(-violation(x, limit)) / sharpness - weight * mean(x.t["reward.cost"])
    return direct + rloo(x, R)


def interior_penalty(x, frozen, limit, kappa, most, clip):
    room = -violation(x, limit) + real(1e-8)
    penalty = kappa / room
    penalty = most if penalty < 0 or penalty > most else penalty
    return ppo(x, mixture(x, penalty), clip)


def crpo(x, frozen, limit):
    if violation(x, limit) > 2:
        return ppo(x, [-c for c in x.t["reward.cost"]], real(0.2)) - limit
    return ppo(x, list(x.t["reward.score"]), real(0.2))


def trust_region(x, frozen, limit, radius):
    rows = zip(x.t["reward.score"], x.t["reward.cost"], frozen.ratios("", "old."))
    return rloo(x, [r - x.t["multiplier.lambda"] * c - x.t["multiplier.mu"] * h for r, c, h in rows])


def trust_region_multipliers(x, limit, radius):
    drift = mean(x.ratios("", "old.")) - radius
    return {
        "multiplier.lambda": max(mpf(0), x.t["multiplier.lambda"] + real(0.05) * violation(x, limit)),
        "multiplier.mu": moved_log(x.t["multiplier.mu"], drift, real(0.05)),
    }


def vocabulary_kls(x, other):
    """KL(pi || other) at each token, per row."""
    return [[kl(p, q) for p, q in zip(a, b)] for a, b in zip(x.vocabulary(), x.vocabulary(other))]


def focops_of(x, frozen, R, temperature, radius):
    a = centred(R, x.groups())
    rows = each(vocabulary_kls(x, "old."), vocabulary_kls(frozen, "old."), ratios_at(x, frozen), a)
    terms = mapped(lambda k, held, ratio, a: k - ratio * a / temperature if held <= radius else mpf(0), rows)
    return mean(flat(terms))


def with_focops(x, frozen, beta, temperature, radius):
    R = [r - beta * h for r, h in zip(x.t["reward.score"], frozen.ratios())]
    return focops_of(x, frozen, R, temperature, radius)


def focops(x, frozen, limit):
    return focops_of(x, frozen, mixture(x, x.t["multiplier.lambda"]), real(1.5), real(0.02))


def focops_multipliers(x, limit):
    moved = x.t["multiplier.lambda"] + real(0.035) * violation(x, limit)
    return {"multiplier.lambda": clamp(moved, mpf(0), mpf(2))}


def cup_projection(x, frozen, discount, trace, **options):
    factor = options["lambda"] * (1 - discount * trace) / (1 - discount)
    rows = each(vocabulary_kls(x, "old."), ratios_at(x, frozen), centred(x.t["reward.cost"], x.groups()))
    return mean(flat(mapped(lambda k, ratio, a: factor * ratio * a + k, rows)))


def sauteed(x, budget, discount, unsafe):
    """Each response's sum of rewards, step by step as in Sootla et al. 2022."""
    total = []
    for gains, costs in zip(at_positions(x, "reward.gain"), at_positions(x, "reward.cost")):
        z, value = mpf(1), mpf(0)
        for gain, cost in zip(gains, costs):
            z = (z - cost / budget) / discount
            value += gain if z > 0 else unsafe
        total.append(value)
    return total


def saute(x, frozen, budget, discount, unsafe):
    return rloo(x, sauteed(x, budget, discount, unsafe))


def simmer(x, frozen, kp, ki, kd, polyak, most, unsafe):
    return rloo(x, sauteed(x, max(x.t["state.budget"], real(1e-6)), mpf(1), unsafe))


def simmer_states(x, kp, ki, kd, polyak, most, unsafe):
    spent = mean(sum(row, mpf(0)) for row in at_positions(x, "reward.cost"))
    budget = x.t["state.budget"]
    error = polyak * x.t["state.error"] + (1 - polyak) * (budget - spent)
    integral = x.t["state.integral"] + error
    wish = kp * error + ki * integral + kd * (x.t["state.last_step"] - x.t["state.last_wish"])
    after = clamp(budget + clamp(wish, mpf(-1), mpf(1)), mpf(0), most)
    return {
        "state.budget": after, "state.error": error, "state.integral": integral, "state.last_wish": wish,
        "state.last_step": after - budget,
    }


# Likelihood and distillation.


def nll(x, frozen):
    return -mean(flat(x.tokens()))


def dft(x, frozen):
    return -mean(mp.exp(h) * p for p, h in zip(flat(x.tokens()), flat(frozen.tokens())))


def tempered(x, actor, temperature):
    z, mask = x.t[actor + "logits"], x.mask()
    return [log_softmax(z[n, t] / temperature) for n in range(len(z)) for t in np.flatnonzero(mask[n])]


def jsd(p, q, b):
    m = [mp.log(b * mp.exp(c) + (1 - b) * mp.exp(a)) for a, c in zip(p, q)]
    return b * kl(q, m) + (1 - b) * kl(p, m)


def both(x, temperature):
    return list(zip(tempered(x, "", temperature), tempered(x, "t.", temperature)))


def jsd_distillation(x, frozen, b, temperature):
    return mean(jsd(p, q, b) for p, q in both(x, temperature))


def forward_distillation(x, frozen, temperature):
    return mean(kl(q, p) for p, q in both(x, temperature))


def reverse_distillation(x, frozen, temperature):
    return mean(kl(p, q) for p, q in both(x, temperature))


def mixed_distillation(x, frozen, w, temperature):
    return mean(w * kl(q, p) + (1 - w) * kl(p, q) for p, q in both(x, temperature))


def skew_distillation(x, frozen, skew):
    return mean(
        kl(q, [mp.log(skew * mp.exp(c) + (1 - skew) * mp.exp(a)) for a, c in zip(p, q)])
        for p, q in both(x, mpf(1))
    )


def hard_and_soft_distillation(x, frozen, b, temperature, hard):
    return hard * nll(x, frozen) + (1 - hard) * jsd_distillation(x, frozen, b, temperature)


def on_policy_distillation(x, frozen):
    gaps = flat(log_ratios(frozen, "t.", ""))
    return -mean(g * p for g, p in zip(gaps, flat(x.tokens())))


def sampled_distillation(x, frozen, cap):
    ratios = [min(r, cap) for r in flat(bounded_ratios(frozen))]
    rows = zip(ratios, flat(log_ratios(frozen, "", "t.")), flat(x.tokens()))
    return mean(w * g * p for w, g, p in rows)


def importance_weighted_distillation(x, frozen, gamma):
    total = []
    for gaps, new in zip(log_ratios(x, "t.", "old."), x.tokens()):
        whole = sum(map(abs, gaps), mpf(0))
        for t, (a, p) in enumerate(zip(gaps, new)):
            share = sum(map(abs, gaps[:t]), mpf(0)) / whole
            total.append(-(1 + gamma * (1 - share)) * a * p)
    return mean(total)


def mini_llm(x, frozen, discount, weight, by_length, from_start):
    total = []
    for gaps, new in zip(log_ratios(frozen, "t.", ""), x.tokens()):
        n = len(gaps)
        for t in range(n):
            ahead = sum((discount ** (i if from_start else i - t) * gaps[i] for i in range(t, n)), mpf(0))
            left = sum((discount ** (i if from_start else i - t) for i in range(t, n)), mpf(0))
            total.append(-(ahead / left if by_length else ahead) * new[t])
    return mean(total) + weight * mean(kl(p, q) for p, q in both(x, mpf(1)))


def cosine_distillation(x, frozen, hard, b):
    total = []
    for n in range(len(x.t["logits"])):
        for t in np.flatnonzero(x.mask()[n]):
            z, w = x.t["logits"][n, t], x.t["t.logits"][n, t]
            cosine = sum(z * w, mpf(0)) / (mp.sqrt(sum(z * z, mpf(0))) * mp.sqrt(sum(w * w, mpf(0))))
            total.append(-hard * log_softmax(z)[x.t["tokens"][n, t]] + (1 - hard) * b * (1 - cosine))
    return mean(total)


def on_top(x, k, by_teacher, tail):
    """Both distributions on the k most probable tokens of one: the rest in one entry, or renormalised."""
    for student, teacher in zip(flat(x.vocabulary()), flat(x.vocabulary("t."))):
        first = teacher if by_teacher else student
        top = sorted(range(len(first)), key=lambda v: -first[v])[: int(k)]
        pair = []
        for p in (student, teacher):
            inside = [mp.exp(p[v]) for v in top]
            mass = sum(inside, mpf(0))
            pair.append(inside + [1 - mp.exp(min(mp.log(mass), real(-1e-7)))] if tail else [v / mass for v in inside])
        yield pair


def plain_kl(p, q):
    return sum((times(a, mp.log(a / b) if a else mpf(0)) for a, b in zip(p, q)), mpf(0))


def top_distillation(x, frozen, k, b, tail):
    total = []
    for p, q in on_top(x, k, False, tail):
        m = [b * v + (1 - b) * u for u, v in zip(p, q)]
        total.append(b * plain_kl(q, m) + (1 - b) * plain_kl(p, m))
    return mean(total)


def top_forward_distillation(x, frozen, k, tail, by_teacher):
    return mean(plain_kl(q, p) for p, q in on_top(x, k, by_teacher, tail))


def top_reverse_distillation(x, frozen, k, tail, by_teacher):
    return mean(plain_kl(p, q) for p, q in on_top(x, k, by_teacher, tail))


def top_mixed_distillation(x, frozen, k, w, outside):
    total = []
    for student, teacher in zip(flat(x.vocabulary()), flat(x.vocabulary("t."))):
        order = sorted(range(len(teacher)), key=lambda v: -teacher[v])
        top, rest = order[: int(k)], order[int(k):]
        q = [mp.exp(teacher[v]) for v in top]
        q = [v / sum(q, mpf(0)) for v in q]
        p = [mp.exp(student[v]) for v in top]
        p = p if outside else [v / sum(p, mpf(0)) for v in p]
        others_ = sum((mp.exp(student[v]) * (student[v] + 100) for v in rest), mpf(0)) if outside else 0
        total.append(w * plain_kl(q, p) + (1 - w) * (plain_kl(p, q) + others_))
    return mean(total)


def softmax_at(z, temperature):
    return [mp.exp(l) for l in log_softmax(z / temperature)]


def sorted_gap(p, q):
    """The distance of descending lists, the shorter filled up with 0."""
    p, q = sorted(p, reverse=True), sorted(q, reverse=True)
    size = max(len(p), len(q))
    p, q = p + [mpf(0)] * (size - len(p)), q + [mpf(0)] * (size - len(q))
    return sum((abs(a - c) for a, c in zip(p, q)), mpf(0))


def known(z, temperature):
    """The probabilities of a vocabulary that was filled up with -infinity: without what it lacks."""
    return [p for p, e in zip(softmax_at(z, temperature), z) if not mp.isinf(e)]


def cross_entropy(x):
    taken = flat(x.tokens())
    return -mean(taken) if taken else mpf(0)


def uld(x, frozen, hard, weight, student_temperature, teacher_temperature):
    """Boizard et al. 2024; TRL GOLD without `use_extended_uld`."""
    rows = []
    for n in range(x.count()):
        gaps = [
            sorted_gap(known(x.t["logits"][n, t], student_temperature), known(x.t["t.logits"][n, t], teacher_temperature))
            for t in np.flatnonzero(x.mask()[n])
        ]
        rows.append(mean(gaps) if gaps else mpf(0))
    return weight * mean(rows) + hard * cross_entropy(x)


def aligned(x, n, student_temperature, teacher_temperature):
    """The groups of a row: the merged probabilities of student and teacher, entry by entry."""
    members = {}
    for t in np.flatnonzero(x.mask()[n]):
        members.setdefault(float(x.t["feature.spans"][n, t]), []).append(t)
    for group in members.values():
        [lead] = [t for t in group if x.t["feature.leads"][n, t] == 1]
        product = mpf(1)
        for t in group:
            if t != lead:
                product *= max(softmax_at(x.t["logits"][n, t], student_temperature)[x.t["tokens"][n, t]], real(1e-8))
        yield (
            [product * p for p in softmax_at(x.t["logits"][n, lead], student_temperature)],
            [x.t["feature.others"][n, lead] * q for q in softmax_at(x.t["t.logits"][n, lead], teacher_temperature)],
            lead,
        )


def uld_aligned(x, frozen, hard, weight, student_temperature, teacher_temperature):
    """TRL GOLD with `use_extended_uld`: groups of tokens, each with the product of its probabilities."""
    rows = []
    for n in range(x.count()):
        gaps = [sorted_gap(p, q) for p, q, _ in aligned(x, n, student_temperature, teacher_temperature)]
        rows.append(mean(gaps) if gaps else mpf(0))
    return weight * mean(rows) + hard * cross_entropy(x)


def gold_hybrid(x, frozen, matched, unmatched, b, student_temperature, teacher_temperature):
    """TRL GOLD with `uld_use_hybrid_loss`."""
    rows = []
    for n in range(x.count()):
        gaps = []
        for p, q, t in aligned(x, n, student_temperature, teacher_temperature):
            inside = [v for v in range(len(p)) if not mp.isinf(x.t["both.logits"][n, t][v])]
            outside = [v for v in range(len(p)) if v not in inside]
            j = mpf(0)
            for v in inside:
                c, d = max(p[v], real(1e-8)), max(q[v], real(1e-8))
                m = (1 - b) * c + b * d
                if b == 0:
                    j += d * mp.log(d / c)
                elif b == 1:
                    j += c * mp.log(c / d)
                else:
                    j += b * d * mp.log(d / m) + (1 - b) * c * mp.log(c / m)
            gaps.append(matched * j + unmatched * sorted_gap([p[v] for v in outside], [q[v] for v in outside]))
        rows.append(mean(gaps) if gaps else mpf(0))
    return mean(rows)


def two_tokenisers(seed, kind="", impossible="", empty=(), shared=()):
    """A batch with groups of tokens, and with the entries that both vocabularies have."""
    batch = renamed(distributions(seed, kind=kind, impossible=impossible, rows=4, width=5, vocabulary=6), {"other.": "t."})
    rng = np.random.default_rng(seed + 1000)
    mask = batch["mask"]
    for n in empty:
        mask[n] = False
    # What stood behind the mask must stay there.
    for name in ("logits", "t.logits"):
        batch[name][~mask] = np.nan
    batch["tokens"] = (rng.random(mask.shape) * 4).astype(np.int64)
    spans, leads, others = (np.zeros(mask.shape) for _ in range(3))
    for n in range(len(mask)):
        group, open_ = -1, []
        def close():
            if open_:
                leads[n, open_[0 if seed % 2 else -1]] = 1
        for t in np.flatnonzero(mask[n]):
            if not open_ or rng.random() < 0.5:
                close()
                group, open_ = group + 1, []
            open_.append(t)
            spans[n, t] = group
            others[n, t] = 0.2 + 0.8 * rng.random()
        close()
    batch |= {"feature.spans": spans, "feature.leads": leads, "feature.others": others}
    if shared:
        batch["both.logits"] = np.where(np.isin(np.arange(6), shared), 0.0, -np.inf) * np.ones(mask.shape + (6,))
    return batch


# Parts of estimators: -mean of a weight times log pi.


def weighted_sequences(weights):
    return lambda x, frozen, **options: -mean(w * l for w, l in zip(weights(frozen, **options), x.sums()))


def weighted_tokens(weights):
    """`weights` gives a list per row, or one number per row."""

    def loss(x, frozen, **options):
        rows = each(x.tokens(), weights(frozen, **options))
        return -mean(w * p for row in rows for p, w in row)

    return loss


def within(value, least, cap):
    return value if least <= value <= cap else mpf(0)


def sampler_rows(x):
    return log_ratios(x, "old.", "sampler.")


def bounded_product(row):
    return mp.exp(clamp(sum(row, mpf(0)), mpf(-20), mpf(20)))


def kept_rows(statistic):
    return weighted_tokens(lambda x, cap, least: [
        mpf(1) if least <= statistic(row) <= cap else mpf(0) for row in sampler_rows(x)
    ])


def mean_one(weights):
    values = flat(weights)
    return [[w / (sum(values, mpf(0)) / (len(values) + real(1e-8))) for w in row] for row in weights]


def rows_mean_one(x):
    rows = sampler_rows(x)
    weights = [min(bounded_product(row), real(1.2)) for row in rows]
    centre = mean(v * len(row) / (len(row) + real(1e-8)) for v, row in zip(weights, rows) if row)
    return [w / centre for w in weights]


def linear_quantile(values, q):
    values, at = sorted(values), q * (len(values) - 1)
    low = int(mp.floor(at))
    return values[low] + (at - low) * (values[min(low + 1, len(values) - 1)] - values[low])


def lowest_tail(values, q):
    """The mean of the lowest q n values, the last of them in part."""
    left, total = q * len(values), mpf(0)
    size = left
    for v in sorted(values):
        total += v * min(max(left, mpf(0)), mpf(1))
        left -= 1
    return total / size


def scopes(x, rows):
    """Per row: the rows that the token, the group and the batch reduction goes over."""
    return [([n], members, range(len(rows))) for n, members in enumerate(x.groups())]


def token_orders(x, frozen, share):
    h, l = at_positions(x, "feature.h"), x.tokens()

    def ordered(f, kind):
        """The values of f in ascending order, at the positions of their scope in turn."""
        result = []
        for n, members in enumerate(s[kind] for s in scopes(x, l)):
            values = sorted(f(k, t) for k in members for t in range(len(l[k])))
            before = sum(len(l[k]) for k in members if k < n)
            result.append(values[before:before + len(l[n])])
        return result

    def ranks(f, kind):
        return [
            [mpf(sum(f(k, u) < f(n, t) for k in s[kind] for u in range(len(l[k])))) for t in range(len(l[n]))]
            for n, s in enumerate(scopes(x, l))
        ]

    a = ordered(lambda n, t: l[n][t] * h[n][t], 0)
    b = ordered(lambda n, t: l[n][t], 1)
    c = ordered(lambda n, t: l[n][t] ** 2, 2)
    own, prompt, all_ = (ranks(lambda n, t: h[n][t], 0), ranks(lambda n, t: h[n][t], 1), ranks(lambda n, t: -h[n][t], 2))
    total = mean(
        a[n][t] * (t + 1) + b[n][t] * h[n][t] + c[n][t] * l[n][t] + own[n][t] * l[n][t] - prompt[n][t] * l[n][t] / 7
        + all_[n][t] * l[n][t] / 11
        for n in range(len(l)) for t in range(len(l[n]))
    )
    total += linear_quantile(flat(l), share)
    total += lowest_tail([p * w for row, ws in zip(l, h) for p, w in zip(row, ws)], share)
    groups = {tuple(members) for members in x.groups()}
    return total + mean(
        linear_quantile([p * w for k in members for p, w in zip(l[k], h[k])], real(0.75))
        - lowest_tail([p for k in members for p in l[k]], real(0.4))
        for members in groups
    )


def matching(x, frozen):
    h, turn, l, R = at_positions(x, "feature.h"), at_positions(x, "feature.turn"), x.tokens(), x.t["reward.r"]
    total = []
    for n, (own, members, every) in enumerate(scopes(x, l)):
        for t in range(len(l[n])):
            def those(rows, key):
                return [(k, u) for k in rows for u in range(len(l[k])) if key(k, u) == key(n, t)]

            def spread(values, ddof):
                centre = mean(values)
                return sum(((v - centre) ** 2 for v in values), mpf(0)) / max(len(values) - ddof, 1)

            place, same = (lambda k, u: u), (lambda k, u: turn[k][u])
            v = mean(l[k][u] * h[k][u] for k, u in those(members, place)) * l[n][t]
            v += sum((l[k][u] * h[k][u] for k, u in those(every, place)), mpf(0)) * R[n]
            v += mp.sqrt(spread([l[k][u] + h[k][u] for k, u in those(members, same)], 1))
            v += spread([l[k][u] * h[k][u] for k, u in those(every, same)], 0)
            v += l[n][t] * len(those(own, same)) + sum((l[k][u] ** 2 for k, u in those(own, same)), mpf(0)) * h[n][t]
            total.append(v)
    sums = x.sums()
    rows = [
        mean(sums[k] for k in members if mp.floor(R[k]) == mp.floor(R[n])) * R[n] for n, members in enumerate(x.groups())
    ]
    return mean(total) + mean(rows)


PARTS = {
    "top_entropy": weighted_tokens(lambda x, share: [
        [mpf(v >= linear_quantile(flat(at_positions(x, "feature.h")), 1 - share)) for v in row]
        for row in at_positions(x, "feature.h")
    ]),
    "top_share": weighted_tokens(lambda x, share: [
        [mpf(top) for top in row] for row in largest(at_positions(x, "feature.h"), share)
    ]),
    "token_mean_one": weighted_tokens(lambda x: mean_one([[min(mp.exp(v), real(1.2)) for v in row] for row in sampler_rows(x)])),
    "sequence_mean_one": weighted_tokens(rows_mean_one),
    "token_orders": token_orders,
    "matching": matching,
    "group_normalized_floored": weighted_sequences(
        lambda x: verl_grpo_vectorized(x.t["reward.r"], x.groups(), mpf("0.5"))
    ),
    "leave_one_out_or_raw": weighted_sequences(lambda x: verl_rloo(x.t["reward.r"], x.groups())),
    "best_of_group": weighted_sequences(
        lambda x, by_deviation: passk(x.t["reward.r"], x.groups(), real(1e-6), by_deviation)
    ),
    "length_weighted": weighted_sequences(lambda x: opo(x.t["reward.r"], x.groups(), x.lengths())),
    "token_truncated": weighted_tokens(
        lambda x, cap, least: [[clamp(mp.exp(v), least, cap) for v in row] for row in sampler_rows(x)]
    ),
    "token_masked": weighted_tokens(
        lambda x, cap, least: [[within(mp.exp(v), least, cap) for v in row] for row in sampler_rows(x)]
    ),
    "sequence_truncated": weighted_tokens(
        lambda x, cap, least: [clamp(bounded_product(row), least, cap) for row in sampler_rows(x)]
    ),
    "sequence_masked": weighted_tokens(
        lambda x, cap, least: [within(mp.exp(sum(row, mpf(0))), least, cap) for row in sampler_rows(x)]
    ),
    "geometric_masked": weighted_tokens(lambda x, cap, least: [
        [mp.exp(v) if least <= mp.exp(mean(row)) <= cap else mpf(0) for v in row] for row in sampler_rows(x)
    ]),
    "on_policy_mask": weighted_tokens(lambda x, threshold: [
        a if a >= 0 or (sum(row, mpf(0)) / max(len(row), 1)) <= threshold else mpf(0)
        for a, row in zip(x.t["feature.a"], log_ratios(x, "sampler.", ""))
    ]),
    "sequence_sum": kept_rows(lambda row: sum(row, mpf(0))),
    "sequence_mean": kept_rows(lambda row: sum((v * v / 2 for v in row), mpf(0)) / max(len(row), 1)),
    "sequence_max": kept_rows(lambda row: max([k3_of(v) for v in row], default=mpf("-inf"))),
}


def gae_through(x, frozen, discount, trace):
    """Tokens that are not the policy's have values and rewards of 0, and the trace goes on."""
    total = []
    columns = [at_positions(x, k) for k in ("reward.hit", "feature.value", "feature.acts")]
    for rewards, values, acts, new in zip(*columns, x.tokens()):
        own = gae([r * a for r, a in zip(rewards, acts)], [v * a for v, a in zip(values, acts)], discount, trace)
        total += [a * g * p for a, g, p in zip(acts, own, new)]
    return -mean(total)


# Along the tokens of a sequence (Schulman et al. 2016, equations 11 and 16), written as double sums.


def at_positions(x, name, side=""):
    """A token-level tensor at the positions that exist, per row."""
    return [list(row[m]) for row, m in zip(x.t[name], x.mask(side))]


def discounted_return(x, frozen):
    discount = real(0.9)
    return rloo(x, [sum((discount**t * r for t, r in enumerate(row)), mpf(0)) for row in at_positions(x, "reward.hit")])


def generalised_advantages(x, frozen):
    discount, trace = real(0.95), real(0.8)
    terms = []
    for rewards, values, logp in zip(at_positions(x, "reward.hit"), at_positions(x, "feature.value"), x.tokens()):
        n = len(rewards)
        delta = [r + (discount * values[t + 1] if t + 1 < n else 0) - values[t] for t, r in enumerate(rewards)]
        for t in range(n):
            terms.append(sum(((discount * trace) ** k * delta[t + k] for k in range(n - t)), mpf(0)) * logp[t])
    return -mean(terms)


def score_at_last(x, frozen):
    discount = real(0.9)
    return -mean([
        sum((discount ** (len(row) - 1 - t) * r * logp for t, logp in enumerate(row)), mpf(0))
        for r, row in zip(x.t["reward.r"], x.tokens())
    ])


# ---------------------------------------------------------------------------------------------
# The whole vocabulary, at each position; one mean over all positions of the batch.


def per_position(x, term):
    return mean(
        term(p, q)
        for row, other in zip(x.vocabulary(), x.vocabulary("other."))
        for p, q in zip(row, other)
    )


def kl(p, q):
    """KL(p || q) from log-probabilities; 0 log(0 / q) = 0."""
    return sum((times(mp.exp(a), a - b) for a, b in zip(p, q) if mp.exp(a) != 0), mpf(0))


def vocabulary_divergence(from_policy, D):
    """sum_v q f(p / q), an event that is impossible under both counting nothing."""

    def term(p, q):
        if not from_policy:
            p, q = q, p
        if D in ("KL", "reverse_kl"):
            return kl(p, q)
        if D == "forward_kl":
            return kl(q, p)
        if D == "jensen_shannon":
            m = [mp.log((mp.exp(a) + mp.exp(b)) / 2) if mp.exp(a) + mp.exp(b) else a for a, b in zip(p, q)]
            return kl(p, m) + kl(q, m)
        p, q = exp(p), exp(q)
        if D == "total_variation":
            return sum(abs(p - q), mpf(0)) / 2
        if D == "squared_hellinger":
            return sum((sqrt(p) - sqrt(q)) ** 2, mpf(0))
        f, _ = divergence(D)
        return sum((b * f(a / b) for a, b in zip(p, q) if b or a), mpf(0))

    return lambda x, frozen, D: per_position(x, term)


def entropy_bonus(x, frozen, weight):
    """The likelihood of the taken tokens with an entropy bonus."""
    rows = flat(x.vocabulary())
    h = mean(-sum((times(mp.exp(a), a) for a in p if mp.exp(a) != 0), mpf(0)) for p in rows)
    return -mean(flat(x.tokens())) - weight * h


def generalized_jsd(x, frozen, b):
    """Agarwal et al. 2024 (GKD): b KL(q || m) + (1 - b) KL(p || m), m = b q + (1 - b) p, q the other."""

    def term(p, q):
        m = [mp.log(b * mp.exp(c) + (1 - b) * mp.exp(a)) for a, c in zip(p, q)]
        return b * kl(q, m) + (1 - b) * kl(p, m)

    return per_position(x, term)


# ---------------------------------------------------------------------------------------------
# Batches to evaluate on. Only rng.random is drawn from, whose stream NumPy keeps.


def masks(rng, rows, width, empty=()):
    mask = rng.random((rows, width)) < 0.65
    mask[np.arange(rows), (rng.random(rows) * width).astype(int)] = True
    for row in empty:
        mask[row] = False
    return mask


def behind(mask, values):
    """NaN where no position exists: a result that reads it is wrong."""
    values = values.copy()
    values[~mask] = np.nan
    return values


def random_logp(rng, mask):
    return behind(mask, -3 * rng.random(mask.shape))


def logits(rng, mask, vocabulary, kind):
    shape = (*mask.shape, vocabulary)
    z = 6 * rng.random(shape) - 3
    if kind == "huge":
        z = np.where(rng.random(shape) < 0.3, 2e4 * rng.random(shape) - 1e4, z)
        z[:, :, 0] = np.where(rng.random(mask.shape) < 0.5, 1e4, -1e4)
    return behind(mask, z)


def paired(seed, rows=4, widths=(5, 4), reference=True, empty=(), vocabulary=0, kind=""):
    rng = np.random.default_rng(seed)
    batch = {}
    for side, width in zip(("chosen.", "rejected."), widths):
        mask = masks(rng, rows, width, empty if side == "rejected." else ())
        batch[side + "mask"] = mask
        for actor in ("", "ref.") if reference else ("",):
            if vocabulary:
                batch[side + actor + "logits"] = logits(rng, mask, vocabulary, kind)
            else:
                batch[side + actor + "logp"] = random_logp(rng, mask)
        if vocabulary:
            batch[side + "tokens"] = (rng.random(mask.shape) * vocabulary).astype(np.int32)
    return batch


def extreme_pairs(reference=True):
    """Log-ratios of +50 and -50 on either side, on one token or spread over five, and of almost 0.

    No two are equal or opposite: a loss may then be a difference of equal terms, which has no digits.
    """
    ratios = [(50, -49), (-49, 50), (50, 49), (-50, -49), (50, 0.5), (-0.25, -50), (1e-9, 0.5)]
    batch = {}
    for k, side in enumerate(("chosen.", "rejected.")):
        pi, ref = np.empty((7, 5)), np.empty((7, 5))
        for row, ratio in enumerate(ratios):
            h = ratio[k]
            weights = np.array([1, 0, 0, 0, 0]) if row % 2 else np.array([0.4, 0.1, 0.3, 0.15, 0.05])
            pi[row] = -0.25 - max(-h, 0) * weights
            ref[row] = -0.25 - max(h, 0) * weights
        batch[side + "logp"] = pi
        if reference:
            batch[side + "ref.logp"] = ref
    if not reference:
        # Responses that are all but certain, and one against the other.
        batch["chosen.logp"][4] = -1e-12
        batch["rejected.logp"][5] = -1e-12
        batch["chosen.logp"][6] = batch["rejected.logp"][6] = -1e-9
        batch["chosen.logp"][0] = -10
    return batch


def one_token_pair(reference=True):
    batch = {"chosen.logp": np.array([[-0.7]]), "rejected.logp": np.array([[-1.9]])}
    if reference:
        batch |= {"chosen.ref.logp": np.array([[-1.1]]), "rejected.ref.logp": np.array([[-1.3]])}
    return batch


def sampled(seed, columns, groups, width=5, old=False, spread=3.0, empty=(), vocabulary=0, kind="", ref=True):
    """Rows of prompts; `columns` are names of sequence-level tensors."""
    rng = np.random.default_rng(seed)
    rows = len(groups)
    mask = masks(rng, rows, width, empty)
    batch = {"mask": mask, "group": np.array(groups, np.int64)}
    for actor in ("",) + ("ref.",) * ref + ("old.",) * old:
        if vocabulary:
            batch[actor + "logits"] = logits(rng, mask, vocabulary, kind)
        else:
            batch[actor + "logp"] = random_logp(rng, mask) * (spread / 3)
    if kind == "huge" and old:
        # Ratios that doubles hold.
        batch["old.logits"] = batch["logits"] + 2 * rng.random(batch["logits"].shape) - 1
    if vocabulary:
        batch["tokens"] = (rng.random(mask.shape) * vocabulary).astype(np.int64)
    for name in columns:
        batch[name] = 4 * rng.random(rows) - 2
    return batch


def extreme_ratios(batch):
    """The first token of each row moves by +50 or -50 against the others."""
    batch = dict(batch)
    rows = len(batch["logp"])
    signs = np.where(np.arange(rows) % 3 == 0, 0, np.where(np.arange(rows) % 2 == 0, 50.0, -50.0))
    batch["mask"] = batch["mask"].copy()
    batch["mask"][:, 0] = True
    pi = batch["logp"].copy()
    pi[:, 0] = -0.5 - np.maximum(-signs, 0)
    batch["logp"] = pi
    for actor in ("ref.", "old."):
        if actor + "logp" in batch:
            other = batch[actor + "logp"].copy()
            other[:, 0] = -0.5 - np.maximum(signs, 0)
            batch[actor + "logp"] = other
    return batch


def all_responses(seed, extreme=False):
    """Every response of two tokens over {a, b, c}, for two prompts."""
    rng = np.random.default_rng(seed)
    rows = [(prompt, i, j) for prompt in range(2) for i in range(3) for j in range(3)]
    batch = {"group": np.array([r[0] for r in rows], np.int64)}
    for actor in ("", "ref."):
        scale = 50 if extreme else 4
        first, second = scale * rng.random((2, 3)), scale * rng.random((2, 3, 3))
        first -= np.log(np.exp(first).sum(-1, keepdims=True))
        second -= np.log(np.exp(second).sum(-1, keepdims=True))
        batch[actor + "logp"] = np.minimum(np.array([[first[q, i], second[q, i, j]] for q, i, j in rows]), 0)
    batch["reward.r"] = 4 * rng.random(len(rows)) - 2
    return batch


def distributions(seed, kind="", impossible="", rows=3, width=3, vocabulary=5, tokens=False):
    rng = np.random.default_rng(seed)
    mask = masks(rng, rows, width)
    batch = {"mask": mask, "logits": logits(rng, mask, vocabulary, kind)}
    if tokens:
        batch["tokens"] = (rng.random(mask.shape) * (vocabulary - 1)).astype(np.int64)
    else:
        batch["other.logits"] = logits(rng, mask, vocabulary, kind)
    for name, which in (("logits", "pi"), ("other.logits", "other")):
        if name in batch and (which in impossible or impossible == "both"):
            # The last token; and in the first row the policy's or the other's own second one.
            batch[name][:, :, vocabulary - 1] = -np.inf
    return batch


# ---------------------------------------------------------------------------------------------
# Cases: file name, spec, objective, parameters, function, batch.

# Differences that are nothing. Gradients as small as 1e-47 must have their digits in double precision;
# in f32 the smallest numbers have few.
DEFAULT_FLOOR = {np.float64: 1e-100, np.float32: 1e-40}
# Where a token is all but certain under both, p - q is 1 - 1.
HUGE_FLOOR = 1e-15

CASES = []


def case(name, spec, objective, loss, batch, parameters=None, multipliers=None, dtype=np.float64, floor=None):
    CASES.append((name, spec, objective, loss, batch, parameters or {}, multipliers, dtype, floor))


def pair_cases(spec, objective, loss, reference, parameters, sharp, empty_allowed):
    """The batches that every preference loss is evaluated on; `sharp` are parameters that saturate it."""
    name = objective.lower()
    def add(suffix, batch, values=parameters, dtype=np.float64):
        if objective == "ChosenLikelihood":
            # Its rejected responses have lengths, and no probabilities are read.
            shape = batch["rejected.logp"].shape
            batch = {"rejected.mask": np.ones(shape, bool)} | {k: v for k, v in batch.items() if k != "rejected.logp"}
        if objective.startswith("Aot"):
            # The order of equal numbers is nobody's, and their gradients are.
            rng = np.random.default_rng(77)
            batch = {k: v * (1 + 0.01 * rng.random(v.shape)) if k.endswith("logp") else v for k, v in batch.items()}
        case(f"{name}_{suffix}", spec, objective, loss, batch, values, dtype=dtype)

    add("random", paired(1, reference=reference))
    add("random_f32", paired(2, reference=reference), dtype=np.float32)
    add("one_token", one_token_pair(reference))
    add("extreme", extreme_pairs(reference))
    if sharp:
        add("extreme_sharp", extreme_pairs(reference), sharp)
    add("extreme_f32", extreme_pairs(reference), dtype=np.float32)
    if objective not in ONE_SPACE:
        add("logits", paired(3, rows=2, widths=(3, 2), reference=reference, vocabulary=4))
    if empty_allowed:
        add("empty_rejected", paired(4, reference=reference, empty=(1, 3)))


# Losses of the same log-ratios as others, which are also evaluated on logits.
ONE_SPACE = (
    "ChosenLikelihood", "LdDpo", "DiscoPop", "BcoPair", "Aot", "AotUnpaired", "AlphaPo", "CpoHinge", "CpoIpo", "OrpoTokens",
)


def renamed(batch, names):
    """The batch with other names for its sequences."""
    def other(key):
        for old, new in names.items():
            if key.startswith(old):
                return new + key[len(old):]
        return key
    return {other(k): v for k, v in batch.items()}


def preference_cases():
    kl = {"D": "reverse_kl"}
    plain = {"beta": "0.1"} | kl
    sharp = {"beta": "1"} | kl
    flat_target = {"beta": "0.001"} | kl
    for spec, objective, loss, reference, parameters, sharper, empty in [
        ("losses/dpo", "LengthNormalizedDpo", length_normalized_dpo, True, {"beta": "5"} | kl, {"beta": "2"} | kl, True),
        ("losses/dpo", "LdDpo", ld_dpo, True, {"beta": "0.1", "alpha": "0.5"}, {"beta": "1", "alpha": "0"}, True),
        ("losses/dpo", "DiscoPop", discopop, True, {"beta": "0.1", "tau": "0.05"} | kl, {"beta": "1", "tau": "1"} | kl, True),
        ("losses/ipo", "Ipo", ipo, True, {"beta": "0.1"}, {"beta": "0.001"}, True),
        ("losses/ipo", "IpoMean", ipo_mean, True, plain, flat_target, True),
        ("losses/pairwise", "ExoPair", exo_pair, True, plain | {"smoothing": "0.001"}, sharp | {"smoothing": "0.3"}, True),
        ("losses/pairwise", "NcaPair", nca_pair, True, plain, sharp, True),
        ("losses/pairwise", "BcoPair", bco_pair, True, plain, sharp, True),
        ("losses/pairwise", "SppoHard", sppo_hard, True, plain, flat_target, True),
        ("losses/pairwise", "ApoZero", apo_zero, True, {"beta": "0.1"}, {"beta": "1"}, True),
        ("losses/pairwise", "ApoDown", apo_down, True, plain, sharp, True),
        ("losses/aot", "Aot", aot, True, {"beta": "0.1", "smoothing": "0"}, {"beta": "1", "smoothing": "0.1"}, True),
        ("losses/aot", "AotUnpaired", aot_unpaired, True, {"beta": "0.1", "smoothing": "0.2"},
         {"beta": "1", "smoothing": "0"}, True),
        ("losses/mixes", "ChosenLikelihood", chosen_likelihood, False, {}, None, True),
        ("losses/reference_free", "SimPo", simpo, False, {"beta": "2", "gamma": "1", "smoothing": "0", "alpha": "0"},
         {"beta": "10", "gamma": "0", "smoothing": "0.1", "alpha": "1"}, False),
        ("losses/reference_free", "AlphaPo", alphapo, False,
         {"beta": "2", "gamma": "1", "alpha": "0.25", "smoothing": "0", "weight": "0"},
         {"beta": "1", "gamma": "0.5", "alpha": "-0.5", "smoothing": "0.1", "weight": "0.3"}, False),
        ("losses/reference_free", "Cpo", cpo, False, {"beta": "0.1", "alpha": "1", "smoothing": "0"},
         {"beta": "1", "alpha": "0", "smoothing": "0.1"}, True),
        ("losses/reference_free", "CpoHinge", cpo_hinge, False, {"beta": "0.1", "alpha": "1"}, {"beta": "1", "alpha": "0"}, True),
        ("losses/reference_free", "CpoIpo", cpo_ipo, False, {"beta": "0.1", "alpha": "1"}, {"beta": "0.001", "alpha": "0"}, False),
        ("losses/reference_free", "Orpo", orpo, False, {"weight": "0.1"}, {"weight": "3"}, False),
        ("losses/reference_free", "OrpoTokens", orpo_tokens, False, {"weight": "0.1"}, {"weight": "3"}, False),
        ("losses/reference_free", "Slic", slic, False, {"margin": "1", "weight": "0.01"},
         {"margin": "60", "weight": "0"}, True),
    ]:
        pair_cases(spec, objective, loss, reference, parameters, sharper, empty)
    for objective, loss, extra in [
        ("Dpo", dpo, {}),
        ("ConservativeDpo", conservative_dpo, {"smoothing": "0.1"}),
        ("RobustDpo", robust_dpo, {"noise": "0.2"}),
        ("HingeDpo", hinge_dpo, {}),
    ]:
        pair_cases("losses/dpo", objective, loss, True,
                   {"beta": "0.1", "D": "reverse_kl"} | extra, {"beta": "1", "D": "reverse_kl"} | extra, True)
        for k, D in enumerate(LINKS[1:]):
            short = D.split("(")[0].lower()
            values = {"beta": "0.1", "D": D} | extra
            if objective == "ConservativeDpo":
                # At 1/2 with a saturated link the gradient is a difference of equal terms.
                values["smoothing"] = "0.5" if D == "KL" else ["0", "0.25"][k % 2]
            for suffix, batch, dtype in [
                ("random", paired(20 + k), np.float64),
                ("extreme", extreme_pairs(), np.float64),
            ]:
                case(f"{objective.lower()}_{short}_{suffix}", "losses/dpo", objective, loss, batch, values, dtype=dtype)
    # TRL's divergences in the losses that are no function of the difference of links.
    for spec, objective, loss, extra in [
        ("losses/dpo", "LengthNormalizedDpo", length_normalized_dpo, {}),
        ("losses/dpo", "DiscoPop", discopop, {"tau": "0.05"}),
        ("losses/ipo", "IpoMean", ipo_mean, {}),
        ("losses/pairwise", "ExoPair", exo_pair, {"smoothing": "0.001"}),
        ("losses/pairwise", "NcaPair", nca_pair, {}),
        ("losses/pairwise", "BcoPair", bco_pair, {}),
        ("losses/pairwise", "SppoHard", sppo_hard, {}),
        ("losses/pairwise", "ApoDown", apo_down, {}),
    ]:
        for k, D in enumerate(("forward_kl", "jensen_shannon", "alpha(0.3)")):
            short, values = D.split("(")[0].lower(), {"beta": "0.1", "D": D} | extra
            case(f"{objective.lower()}_{short}_random", spec, objective, loss, paired(210 + k), values)
            if objective != "DiscoPop":
                # exp(-z) leaves the doubles there, in TRL too.
                case(f"{objective.lower()}_{short}_extreme", spec, objective, loss, extreme_pairs(), values)
    for k, D in enumerate(("reverse_kl", "jensen_shannon")):
        for suffix, kind, dtype in (("logits", "", np.float64), ("logits_f32", "", np.float32)):
            case(f"wpo_{D}_{suffix}", "losses/dpo", "Wpo", wpo,
                 paired(220 + k, rows=3, widths=(3, 2), vocabulary=4, kind=kind), {"beta": "0.1", "D": D}, dtype=dtype)
    case("wpo_empty", "losses/dpo", "Wpo", wpo, paired(223, rows=3, widths=(2, 3), vocabulary=4, empty=(1,)),
         {"beta": "0.1", "D": "reverse_kl"})
    case("wpo_logits_huge", "losses/dpo", "Wpo", wpo, paired(222, rows=2, widths=(2, 2), vocabulary=4, kind="huge"),
         {"beta": "1e-4", "D": "reverse_kl"}, floor=HUGE_FLOOR)

    def mix(**weights):
        names = "sigmoid bco sft hinge ipo exo nca robust sppo apo_zero apo_down discopop norm aot aot_unpaired".split()
        return {"beta": "0.1", "smoothing": "0.01", "noise": "0.2", "tau": "0.05"} | {n: weights.get(n, "0") for n in names}

    mpo = mix(sigmoid="0.8", bco="0.2", sft="1")
    every = {n: v if n in ("beta", "smoothing", "noise", "tau") else "0.5" for n, v in mix().items()}
    case("preferencemix_mpo_random", "losses/mixes", "PreferenceMix", preference_mix, paired(225), mpo)
    case("preferencemix_mpo_random_f32", "losses/mixes", "PreferenceMix", preference_mix, paired(226), mpo, dtype=np.float32)
    case("preferencemix_mpo_extreme", "losses/mixes", "PreferenceMix", preference_mix, extreme_pairs(), mpo)
    case("preferencemix_every_random", "losses/mixes", "PreferenceMix", preference_mix, paired(227), every)
    for n in ("hinge", "ipo", "exo", "nca", "robust", "sppo", "apo_zero", "apo_down", "discopop", "norm", "aot", "aot_unpaired"):
        case(f"preferencemix_{n}_random", "losses/mixes", "PreferenceMix", preference_mix, paired(228), mix(**{n: "1"}))

    # Prompts that count in the likelihood.
    for suffix, seed, dtype in (("random", 231, np.float64), ("random_f32", 232, np.float32)):
        batch = paired(seed, reference=False, widths=(6, 5))
        for side in ("chosen.", "rejected."):
            mask = batch[side + "mask"]
            # The first half of a row is its prompt; every row has a token of its response.
            is_response = np.cumsum(mask, axis=1) > (mask.sum(1, keepdims=True) // 2)
            batch[side + "feature.response"] = np.where(mask, is_response.astype(float), np.nan)
        case(f"orpowithprompt_{suffix}", "losses/reference_free", "OrpoWithPrompt", orpo_with_prompt, batch,
             {"weight": "0.1"}, dtype=dtype)

    # Triples.
    for objective, kind, parameters, sharper in [
        ("Tpo", "sigmoid", {"beta": "0.01", "alpha": "1"}, {"beta": "1", "alpha": "0.5"}),
        ("TpoHinge", "hinge", {"beta": "0.01", "alpha": "1"}, {"beta": "1", "alpha": "0"}),
        ("TpoIpo", "ipo", {"beta": "0.01", "alpha": "1"}, {"beta": "1", "alpha": "0.5"}),
        ("TpoL", "tpo-l", {"beta": "0.01", "gamma": "0.5", "alpha": "1"}, {"beta": "2", "gamma": "0.5", "alpha": "0.5"}),
    ]:
        names = {"chosen.": "y2.", "rejected.": "y3."}
        gold = renamed(paired(235, reference=False), {"chosen.": "y1."})
        gold = {k: v for k, v in gold.items() if k.startswith("y1.")}
        extreme_gold = {"y1.logp": extreme_pairs(False)["chosen.logp"]}
        random = renamed(paired(236, reference=False), names) | gold
        case(f"{objective.lower()}_random", "losses/reference_free", objective, tpo(kind), random, parameters)
        case(f"{objective.lower()}_random_sharp", "losses/reference_free", objective, tpo(kind), random, sharper)
        case(f"{objective.lower()}_random_f32", "losses/reference_free", objective, tpo(kind), random, parameters, dtype=np.float32)
        case(f"{objective.lower()}_extreme", "losses/reference_free", objective, tpo(kind),
             renamed(extreme_pairs(False), names) | extreme_gold, sharper)

    online_cases()
    reward_model_cases()
    token_reward_cases()


def online_cases():
    spec, names = "losses/online", {"chosen.": "a.", "rejected.": "b."}
    for objective, loss, parameters in [
        ("OnlineDpo", online_dpo, {"beta": "0.1"}),
        ("OnlineIpo", online_ipo, {"beta": "0.1"}),
        ("Xpo", xpo, {"beta": "0.1", "alpha": "1e-5"}),
        ("XpoIpo", xpo_ipo, {"beta": "0.1", "alpha": "0.01"}),
    ]:
        def drawn(batch, seed, tie=False):
            rng = np.random.default_rng(seed)
            rows = next(iter(batch.values())).shape[0]
            ranked = {side + "reward.score": 4 * rng.random(rows) - 2 for side in ("a.", "b.")}
            if tie:
                # Equal scores, which count for the first.
                ranked["b.reward.score"] = ranked["a.reward.score"].copy()
            return renamed(batch, names) | ranked

        name = objective.lower()
        case(f"{name}_random", spec, objective, loss, drawn(paired(241), 1), parameters)
        case(f"{name}_random_f32", spec, objective, loss, drawn(paired(242), 2), parameters, dtype=np.float32)
        case(f"{name}_identical_rewards", spec, objective, loss, drawn(paired(243), 3, True), parameters)
        case(f"{name}_extreme", spec, objective, loss, drawn(extreme_pairs(), 4), parameters)
        case(f"{name}_empty", spec, objective, loss, drawn(paired(244, empty=(1,)), 5), parameters)
    for objective, loss, columns, old, ref, parameters in [
        ("NashMd", nash_md, ["reward.preference"], False, True, {"beta": "0.1"}),
        ("Sppo", sppo, ["reward.preference"], True, False, {"eta": "10"}),
        ("AStarPo", a_star_po, ["reward.score"], False, True, {"value_beta": "0.5", "beta": "0.01"}),
    ]:
        def batch(seed, **kw):
            made = sampled(seed, columns, [0] * 5, old=old, ref=ref, **kw)
            del made["group"]
            if objective == "AStarPo":
                made["reward.reference_scores"] = 4 * np.random.default_rng(seed + 7).random((5, 8)) - 2
            return made

        name = objective.lower()
        case(f"{name}_random", spec, objective, loss, batch(245), parameters)
        case(f"{name}_random_f32", spec, objective, loss, batch(246), parameters, dtype=np.float32)
        case(f"{name}_extreme", spec, objective, loss, extreme_ratios(batch(247)), parameters)
        case(f"{name}_empty", spec, objective, loss, batch(248, empty=(2,)), parameters)


def reward_model_cases():
    spec = "rewards/models"

    def scored(seed, name, scale, columns=()):
        rng = np.random.default_rng(seed)
        batch = {side + "learn." + name: scale * (2 * rng.random(5) - 1) for side in ("chosen.", "rejected.")}
        for column in columns:
            batch[column] = np.where(rng.random(5) < 0.5, 1.0, -1.0) if column.endswith("harm") else rng.random(5)
        return batch

    for suffix, scale, dtype in (("random", 2, np.float64), ("random_f32", 2, np.float32), ("extreme", 50, np.float64)):
        case(f"rewardmodel_{suffix}", spec, "RewardModel", reward_model, scored(251, "r", scale),
             {"centering": "0.01", "ridge": "0.001"}, dtype=dtype)
        case(f"rewardmodel_plain_{suffix}", spec, "RewardModel", reward_model, scored(252, "r", scale),
             {"centering": "0", "ridge": "0"}, dtype=dtype)
        case(f"rewardmodelwithmargin_{suffix}", spec, "RewardModelWithMargin", reward_model_with_margin,
             scored(253, "r", scale, ["feature.margin"]), {"centering": "0.01"}, dtype=dtype)
        case(f"costmodel_{suffix}", spec, "CostModel", cost_model,
             scored(254, "c", scale, ["chosen.feature.harm", "rejected.feature.harm"]), {"ridge": "0.01"}, dtype=dtype)
        for empty, rows in (("", ()), ("_empty", (0, 1, 2, 3))):
            rng = np.random.default_rng(255)
            mask = masks(rng, 4, 5)
            ends = rng.random((4, 5)) < 0.5
            ends[list(rows)] = False
            case(f"processrewardmodel{empty}_{suffix}", spec, "ProcessRewardModel", process_reward_model, {
                "mask": mask,
                "learn.r": behind(mask, scale * (2 * rng.random((4, 5)) - 1)),
                "feature.ends": behind(mask, ends.astype(float)),
                "feature.right": behind(mask, (rng.random((4, 5)) < 0.5).astype(float)),
            }, dtype=dtype)


def token_reward_model(x, frozen, ridge):
    total = []
    a, b = at_positions(x, "chosen.learn.r", "chosen."), at_positions(x, "rejected.learn.r", "rejected.")
    i, j = at_positions(x, "chosen.feature.id", "chosen."), at_positions(x, "rejected.feature.id", "rejected.")
    for n in range(len(a)):
        both = min(len(a[n]), len(b[n]))
        first = next((t for t in range(both) if i[n][t] != j[n][t]), both)
        terms = [-ls(a[n][t] - b[n][t]) + ridge * (a[n][t] ** 2 + b[n][t] ** 2) for t in range(first, both)]
        total.append(mean(terms) if terms else mpf(0))
    return mean(total)


def token_reward_cases():
    for suffix, scale, dtype, empty in (
        ("random", 2, np.float64, ()), ("random_f32", 2, np.float32, ()), ("extreme", 50, np.float64, ()),
        ("empty", 2, np.float64, (1, 2)),
    ):
        rng = np.random.default_rng(475)
        batch = {}
        for side in ("chosen.", "rejected."):
            mask = masks(rng, 5, 6, empty if side == "rejected." else ())
            batch[side + "mask"] = mask
            batch[side + "learn.r"] = behind(mask, scale * (2 * rng.random((5, 6)) - 1))
            batch[side + "feature.id"] = behind(mask, np.floor(2 * rng.random((5, 6))))
        case(f"tokenrewardmodel_{suffix}", "rewards/models", "TokenRewardModel", token_reward_model, batch, {"ridge": "0.01"},
             dtype=dtype)


def unpaired_cases():
    weights = {"desirable": "1", "undesirable": "1.5"}
    for objective, loss, columns, after, parameters, sharp in [
        ("Kto", kto, [], None, {"beta": "0.1"} | weights, {"beta": "1", "desirable": "1", "undesirable": "1"}),
        ("KtoMismatched", kto_mismatched, ["feature.mismatched"], None,
         {"beta": "0.1", "desirable": "1.25", "undesirable": "1"}, {"beta": "1", "desirable": "1", "undesirable": "1"}),
        ("ApoZeroUnpaired", apo_zero_unpaired, [], None, {"beta": "0.1"} | weights, {"beta": "1"} | weights),
        ("Bco", bco, ["feature.delta"], None, {"beta": "0.1"}, {"beta": "1"}),
        ("BcoRunning", bco_running, [], bco_states, {"beta": "0.1"}, {"beta": "1"}),
        ("BcoMatched", bco_matched, ["feature.desirable_prompt"], bco_states,
         {"beta": "0.1", "low": "0.5", "high": "10"}, {"beta": "1", "low": "0.1", "high": "2"}),
    ]:
        def labelled(batch):
            rows = next(iter(batch.values())).shape[0]
            del batch["group"]
            if "feature.desirable_prompt" in batch:
                # Probabilities, among them 0 and 1.
                batch["feature.desirable_prompt"] = np.clip(batch["feature.desirable_prompt"] / 3 + 0.5, 0, 1)
            if after:
                batch |= {"state.total": np.array(-3.25), "state.n": np.array(7.0)}
            return batch | {"label": np.arange(rows) % 2 == 0}

        plain = labelled(sampled(31, columns, [0] * 6))
        name = objective.lower()
        def add(suffix, batch, values=parameters, dtype=np.float64):
            case(f"{name}_{suffix}", "losses/kto", objective, loss, batch, values, after, dtype=dtype)

        add("random", plain)
        add("random_f32", plain, dtype=np.float32)
        add("extreme", extreme_ratios(plain))
        add("extreme_sharp", extreme_ratios(plain), sharp)
        add("one_token", labelled(sampled(32, columns, [0], width=1)))
        add("empty", labelled(sampled(33, columns, [0] * 4, empty=(1, 2))))
        if objective in ("Kto", "KtoMismatched", "Bco"):
            add("logits", labelled(sampled(34, columns, [0] * 3, width=2, vocabulary=4)))


def estimator_cases():
    spec = "tests/oracle/specs/estimators.align"
    groups = [7, -3, 7, 7, -3, 12]
    for name, old, options, tight, empty_allowed in [
        ("reinforce", False, {}, {}, True),
        ("rloo", False, {}, {}, True),
        ("ppo", True, {"clip": "0.2"}, {"clip": "0.01"}, True),
        ("grpo", True, {"clip": "0.2", "epsilon": "1e-4"}, {"clip": "0.1", "epsilon": "1e-6"}, False),
        ("dr_grpo", True, {"clip": "0.2", "length": "1"}, {"clip": "0.3", "length": "512"}, True),
        ("dapo", True, {"low": "0.2", "high": "0.28", "epsilon": "1e-4"},
         {"low": "0.1", "high": "0.5", "epsilon": "1e-6"}, True),
        ("gspo", True, {"low": "3e-4", "high": "4e-4", "epsilon": "1e-4"},
         {"low": "0.2", "high": "0.3", "epsilon": "1e-4"}, False),
        ("cispo", True, {"low": "1", "high": "4", "epsilon": "1e-4"},
         {"low": "0.2", "high": "0.2", "epsilon": "1e-4"}, True),
    ]:
        objective = "With_" + name
        columns = ["reward.r"]
        loss = estimator(name)
        values, tighter = {"beta": "0.1"} | options, {"beta": "0.05"} | tight
        free = {"beta": "0"} | options

        def make(seed, groups=groups, **kw):
            batch = sampled(seed, columns, groups, old=old, **kw)
            if name == "reinforce":
                del batch["group"]
            return batch

        plain = make(41)
        same = make(42, groups=[0, 0, 0, 1, 1, 1]) | {"reward.r": np.array([0.7, 0.7, 0.7, -0.1, -0.1, -0.1])}
        near = make(49, spread=0.3)
        case(f"{name}_random", spec, objective, loss, plain, values)
        case(f"{name}_random_tight", spec, objective, loss, near, tighter)
        case(f"{name}_random_f32", spec, objective, loss, make(43), values, dtype=np.float32)
        case(f"{name}_extreme", spec, objective, loss, extreme_ratios(plain), values)
        # The mean of three equal numbers is off by an ulp, which a deviation of epsilon makes 1e-12.
        case(f"{name}_identical_rewards", spec, objective, loss, same, free, floor=1e-11)
        case(f"{name}_groups_of_one", spec, objective, loss, make(44, groups=[4, 1, 9]), values)
        case(f"{name}_one_token", spec, objective, loss, make(45, groups=[0, 0, 0], width=1), values)
        case(f"{name}_logits", spec, objective, loss, make(46, groups=[0, 0, 1], width=2, vocabulary=4), values)
        case(f"{name}_logits_huge", spec, objective, loss,
             make(47, groups=[0, 0, 0], width=3, vocabulary=4, kind="huge"), free)
        if empty_allowed:
            case(f"{name}_empty", spec, objective, loss, make(48, empty=(0, 4)), values)
    loss = estimator("exact")
    for suffix, seed, dtype, extreme in [
        ("random", 51, np.float64, False), ("random_f32", 52, np.float32, False), ("extreme", 53, np.float64, True),
    ]:
        case(f"exact_{suffix}", spec, "With_exact", loss, all_responses(seed, extreme), {"beta": "0.1"}, dtype=dtype)


def library_estimator_cases():
    """The estimators of the libraries: values of their options, each with all kinds of batches."""
    groups = [7, -3, 7, 7, -3, 12]
    no, yes = "false", "true"
    trl = {"low": "0.2", "high": "0.28", "epsilon": "1e-4", "by_group": yes, "by_batch": no}
    level = {"by_sequence": no, "by_sequence_token": no}
    bounded = {"bounded": no, "delta": ""}
    verl = {"raw": no, "by_sequence": no, "by_length": no, "by_constant": no, "scale": "1"}
    clip = {"low": "0.2", "high": "0.28"}
    dual = {"dual": no, "bound": "3", "by_sample": no}
    critic = {"discount": "0.99", "value_clip": "0.3", "weight": "0.7"}
    aggregations = [{"by_sequence": yes}, {"by_length": yes}, {"by_constant": yes}]
    levels = [{"by_sequence": yes}, {"by_sequence_token": yes}]
    scalings = [{"by_batch": yes}, {"by_group": no}]
    for spec, f, tokenwise, values, variants, columns, flags in [
        # spec, function, rewards per token, options, other options; columns; what it reads: o(ld), w(eights), g(roups), v(alues)
        ("trl", trl_grpo, False, trl | level | bounded, levels + scalings + [{"bounded": yes}], [], "owg"),
        ("trl", trl_dapo, False, trl | level | bounded, levels + [{"bounded": yes}], [], "owg"),
        ("trl", trl_dr_grpo, False, {"length": "64"} | trl | level | bounded, levels, [], "owg"),
        ("trl", trl_cispo, False, {"cap": "1.2", "epsilon": "1e-4", "by_group": yes, "by_batch": no} | level, levels,
         [], "owg"),
        ("trl", trl_sapo, False,
         {"positive": "1", "negative": "1.05", "epsilon": "1e-4", "by_group": yes, "by_batch": no} | level, levels,
         [], "owg"),
        ("trl", trl_luspo, False, trl | bounded, scalings + [{"bounded": yes}], [], "og"),
        ("trl", trl_vespo, False,
         {"positive_k": "2", "positive_lambda": "3", "negative_k": "3", "negative_lambda": "2", "epsilon": "1e-4",
          "by_group": yes, "by_batch": no}, scalings, ["feature.log_weight"], "og"),
        ("trl", trl_gmpo, False, {"low": "0.4", "high": "0.4", "epsilon": "1e-4", "by_group": yes, "by_batch": no}, scalings,
         [], "og"),
        ("trl", trl_rloo, False, {"low": "0.2", "high": "0.28", "whiten": no, "epsilon": "1e-4"}, [{"whiten": yes}], [], "og"),
        ("verl", verl_vanilla, False, clip | {"bound": "3"} | verl, aggregations + [{"raw": yes}], [], "owg"),
        ("verl", verl_gspo, False, {"low": "0.1", "high": "0.2", "raw": no}, [{"raw": yes}], [], "owg"),
        ("verl", verl_sapo, False, {"positive": "1", "negative": "1.05", "raw": no}, [{"raw": yes}], [], "owg"),
        ("verl", verl_gpg, False, verl, aggregations + [{"raw": yes}], [], "wg"),
        ("verl", verl_clip_cov, False, {"share": "0.15"} | clip | {"least": "0.1", "most": "2"} | verl,
         aggregations + [{"raw": yes}], ["draw"], "owg"),
        ("verl", verl_kl_cov, False, {"share": "0.15", "price": "0.3"} | verl, aggregations + [{"raw": yes}], [], "owg"),
        ("verl", verl_geo_mean, False, {"low": "0.2", "high": "0.3", "raw": no}, [{"raw": yes}], [], "owg"),
        ("verl", verl_optimal_token_baseline, True, {"tail": no} | clip | {"bound": "3"}, [{"tail": yes}], ["squares"], "owg"),
        ("verl", verl_tir_optimal_token_baseline, True, {"tail": yes} | clip | {"bound": "3"}, [{"tail": no}], ["squares"], "owg"),
        ("verl", verl_cispo, False, clip | verl, aggregations + [{"raw": yes}], [], "owg"),
        ("verl", verl_reinforce, False, verl, aggregations + [{"raw": yes}], [], "wg"),
        ("verl", verl_reinforce_plus_plus, True, {"discount": "0.9"} | clip | {"bound": "3"}, [], [], "ow"),
        ("verl", verl_reinforce_plus_plus_baseline, False, clip | {"bound": "3"}, [], [], "owg"),
        ("verl", verl_remax, True, clip | {"bound": "3"}, [], ["reward.greedy"], "ow"),
        ("openrlhf", openrlhf_reinforce, True, {"discount": "0.9"} | clip | dual, [{"dual": yes}, {"by_sample": yes}], [], "ow"),
        ("openrlhf", openrlhf_reinforce_baseline, False, clip | dual, [{"dual": yes}, {"by_sample": yes}], [], "owg"),
        ("openrlhf", openrlhf_rloo, False, clip | dual, [{"dual": yes}, {"by_sample": yes}], [], "owg"),
        ("openrlhf", openrlhf_group_norm, False, clip | {"epsilon": "1e-9", "by_deviation": yes} | dual,
         [{"dual": yes}, {"by_sample": yes}, {"by_deviation": no}], [], "owg"),
        ("openrlhf", openrlhf_gspo, False, {"low": "0.1", "high": "0.2", "epsilon": "1e-9"}, [], [], "owg"),
        ("nemo", nemo_grpo, False,
         clip | {"dual": no, "bound": "3", "by_sequence_ratio": no, "by_sequence": no, "raw": no},
         [{"dual": yes}, {"by_sequence_ratio": yes}, {"by_sequence": yes}, {"raw": yes}], [], "owg"),
        ("nemo", open_instruct_dapo, False, {"low": "0.2", "high": "0.272", "by_deviation": no}, [{"by_deviation": yes}], [], "owg"),
        ("nemo", open_instruct_cispo, False, {"high": "0.272", "by_deviation": no}, [{"by_deviation": yes}], [], "owg"),
        ("critics", trl_ppo, True, {"clip": "0.2", "lambda": "0.95", "whiten": yes} | critic, [{"whiten": no}], [], "ov"),
        ("critics", verl_ppo, True, clip | {"bound": "3", "lambda": "0.9"} | critic, [], [], "ov"),
        ("critics", openrlhf_ppo, True, clip | {"lambda": "0.9", "normalize": yes, "by_sample": no} | critic,
         [{"normalize": no}, {"by_sample": yes}], [], "ov"),
        ("critics", safe_rlhf_ppo, True, {"clip": "0.2", "lambda": "0.9"} | critic, [], [], "ov"),
        ("critics", vapo, True,
         clip | {"alpha": "0.5", "critic_lambda": "1", "positive": "0.1"} | critic, [], [], "ov"),
    ]:
        name = f.__name__
        path = f"tests/oracle/specs/{spec}.align"
        # What only some forms of the estimator read is a number in the spec.
        written = {"delta": "1.5", "scale": "512"}
        if spec == "trl":
            written["epsilon"] = "1e-4"
        if spec in ("openrlhf", "nemo"):
            written |= {"bound": "3", "epsilon": "1e-9"}
        fixed = {k: real(written[k]) for k in values if k in written}
        values = {k: v for k, v in values.items() if k not in written}

        def loss(x, frozen, f=f, fixed=fixed, tokenwise=tokenwise, **options):
            return (token_estimator if tokenwise else sequence_estimator)(f)(x, frozen, **options, **fixed)

        def make(seed, groups=groups, vocabulary=0, **kw):
            named = ["reward.score"] + [c for c in columns if "." in c]
            batch = sampled(seed, named, groups, old="o" in flags, vocabulary=vocabulary, **kw)
            rng = np.random.default_rng(seed + 1000)
            shape = batch["mask"].shape
            if "w" in flags:
                batch["feature.w"] = behind(batch["mask"], np.where(rng.random(shape) < 0.2, 0, 2 * rng.random(shape)))
            if "draw" in columns:
                batch["feature.draw"] = behind(batch["mask"], rng.random(shape))
            if "squares" in columns:
                # Between p^2, if the rest is spread thin, and p^2 + (1 - p)^2, if one other token has it.
                p = np.exp(np.where(batch["mask"], batch["old.logp"], 0))
                batch["feature.squares"] = behind(batch["mask"], p**2 + (1 - p) ** 2 * rng.random(shape))
                batch["feature.c"] = behind(batch["mask"], 0.5 + rng.random(shape))
            if "v" in flags:
                batch["learn.v"] = behind(batch["mask"], 2 * rng.random(shape) - 1)
                batch["old.learn.v"] = behind(batch["mask"], 2 * rng.random(shape) - 1)
            if "g" not in flags:
                del batch["group"]
            return batch

        def add(suffix, batch, options=(), dtype=np.float64, floor=None, beta="0.1"):
            case(f"{name}_{suffix}", path, "With_" + name, loss, batch, {"beta": beta} | values | dict(options),
                 dtype=dtype, floor=floor)

        plain, near = make(301), make(302, spread=0.3)
        add("random", plain)
        add("random_near", near)
        add("random_f32", make(303, spread=0.5), dtype=np.float32)
        far = extreme_ratios(plain)
        for column in ("feature.w", "feature.draw", "feature.squares", "feature.c", "learn.v", "old.learn.v"):
            if column in far:
                far[column] = np.where(far["mask"] & np.isnan(far[column]), 0.5, far[column])
        if "squares" in columns:
            far["feature.squares"] = np.where(far["mask"], np.maximum(far["feature.squares"], 0.5), np.nan)
        add("extreme", far)
        add("identical_rewards",
            make(304, groups=[0, 0, 0, 1, 1, 1]) | {"reward.score": np.array([0.75, 0.75, 0.75, -0.125, -0.125, -0.125])},
            beta="0", floor=1e-11)
        add("groups_of_one", make(305, groups=[4, 1, 9]))
        add("empty", make(306, empty=(0, 4)))
        for k, variant in enumerate(variants):
            word = "_".join(n if v == yes else "no_" + n for n, v in variant.items() if v in (yes, no))
            add(word, make(310 + k, spread=0.6), variant)


def expectation_cases():
    groups = [2, 2, 5, 5, 2, 8]
    for k, D in enumerate(DIVERGENCES):
        short = D.split("(")[0].lower()
        for objective, loss, beta in (("Rlhf", rlhf, "0.05"), ("FitTarget", fit_target, "1.5")):
            batch = sampled(61 + k, ["reward.score"], groups)
            values = {"beta": beta, "D": D}
            name = f"{objective.lower()}_{short}"
            case(f"{name}_random", "objectives/rlhf", objective, loss, batch, values)
            case(f"{name}_extreme", "objectives/rlhf", objective, loss, extreme_ratios(batch), values)
        if k < 3:
            case(f"rlhf_{short}_random_f32", "objectives/rlhf", "Rlhf", rlhf, batch, {"beta": "0.05", "D": D}, dtype=np.float32)
            case(f"fittarget_{short}_empty", "objectives/rlhf", "FitTarget", fit_target,
                 sampled(71 + k, ["reward.score"], groups, empty=(1,)), {"beta": "1.5", "D": D})
    for objective, loss, after, columns, multipliers, values in [
        ("SafeRlhf", safe_rlhf, safe_rlhf_multipliers, ["reward.helpful", "reward.cost"],
         {"multiplier.lambda": 1.75}, {"beta": "0.02", "threshold": "0.1"}),
        ("ConstrainedRlhf", constrained_rlhf, constrained_rlhf_multipliers, ["reward.helpful", "reward.harm"],
         {"multiplier.mu": 0.01, "multiplier.lambda": 0.4}, {"least_helpful": "0.5", "most_harm": "0.1"}),
        ("KlBudget", kl_budget, kl_budget_multipliers, ["reward.score"],
         {"multiplier.beta": 0.3}, {"budget": "0.5"}),
    ]:
        held = {k: np.array(v) for k, v in multipliers.items()}
        name, spec = objective.lower(), "constraints/safety"
        plain = sampled(81, columns, groups) | held
        same = sampled(82, columns, groups) | held | {c: np.full(6, 0.3) for c in columns}
        case(f"{name}_random", spec, objective, loss, plain, values, after)
        case(f"{name}_random_f32", spec, objective, loss, plain, values, after, dtype=np.float32)
        case(f"{name}_extreme", spec, objective, loss, extreme_ratios(plain), values, after)
        case(f"{name}_identical_rewards", spec, objective, loss, same, values, after)
        case(f"{name}_groups_of_one", spec, objective, loss, sampled(83, columns, [1, 2, 3]) | held, values, after)
        case(f"{name}_logits", spec, objective, loss,
             sampled(84, columns, [0, 0, 1], width=2, vocabulary=4) | held, values, after)


def objective_cases():
    """The libraries' objectives as a whole, control, and constraints."""
    groups = [2, 2, 5, 5, 2, 8]
    no, yes = "false", "true"

    def all_kinds(spec, objective, loss, columns, values, old=False, ref=True, after=None, held=None, others=(), group=True,
                  tokens=(), learned=(), variants=(), far=True, floor=None):
        name = objective.lower()
        held = {k: np.array(v) for k, v in (held or {}).items()}

        def make(seed, groups=groups, **kw):
            batch = sampled(seed, columns, groups, old=old, ref=ref, **kw)
            rng = np.random.default_rng(seed + 2000)
            shape = batch["mask"].shape
            for other in others:
                batch[other + "logp"] = random_logp(rng, batch["mask"]) * (kw.get("spread", 3) / 3)
            for token in tokens:
                numbers = (rng.random(shape) < 0.6).astype(float) if token.endswith("acts") else 2 * rng.random(shape) - 0.5
                batch[token] = behind(batch["mask"], numbers)
            for block in learned:
                batch[block] = np.array(0.3 + rng.random())
            for column in columns:
                if column.endswith("allowed"):
                    batch[column] = (rng.random(len(groups)) < 0.5).astype(float)
            if not group:
                del batch["group"]
            if "learn.lambda" in learned and "logp" in batch and objective != "DistributionalConstraint":
                del batch["logp"]
            return batch | held

        def add(suffix, batch, options=(), dtype=np.float64):
            case(f"{name}_{suffix}", spec, objective, loss, batch, values | dict(options), after, dtype=dtype, floor=floor)

        plain = make(401)
        add("random", plain)
        add("random_near", make(402, spread=0.3))
        add("random_f32", make(403, spread=0.5), dtype=np.float32)
        add("groups_of_one", make(404, groups=[4, 1, 9]))
        add("empty", make(405, empty=(0, 4)))
        if far:
            out = extreme_ratios(plain)
            for token in tokens:
                out[token] = np.where(out["mask"] & np.isnan(out[token]), 0.5, out[token])
            for other in others:
                out[other + "logp"] = np.where(out["mask"] & np.isnan(out[other + "logp"]), -0.7, out[other + "logp"])
            add("extreme", out)
        for k, variant in enumerate(variants):
            word = "_".join(n if v in (yes, no) else n + str(v).split("(")[0] for n, v in variant.items())
            add(word.lower(), make(410 + k, spread=1), variant)

    score, cost = ["reward.score"], ["reward.score", "reward.cost"]
    corrected = [{"corrected": yes}]
    all_kinds("objectives/grpo", "GrpoWithKl", with_kl(mean_of_means), score, {"beta": "0.04", "corrected": no}, old=True,
              variants=corrected)
    all_kinds("objectives/grpo", "DapoWithKl", with_kl(lambda rows: mean(flat(rows))), score, {"beta": "0.04", "corrected": no},
              old=True, variants=corrected)
    all_kinds("objectives/grpo", "DrGrpoWithKl", with_kl(mean_of_sums), score,
              {"beta": "0.04", "length": "64", "corrected": no}, old=True, variants=corrected)
    all_kinds("objectives/grpo", "GrpoForSampler", grpo_for_sampler, score, {"cap": "3"}, old=True, ref=False, others=["sampler."])
    all_kinds("objectives/grpo", "Gdpo", gdpo, ["reward.first", "reward.second"],
              {"first_weight": "1", "second_weight": "0.5", "low": "0.2", "high": "0.2"}, old=True, ref=False)
    penalties = "objectives/penalties"
    kinds = {"by_k1": no, "by_k2": no, "by_abs": no, "straight": no}
    all_kinds(penalties, "KlInLoss", kl_in_loss, score, {"beta": "0.1"} | kinds, old=True,
              variants=[{"by_k1": yes}, {"by_k2": yes}, {"by_abs": yes}, {"straight": yes}, {"by_k1": yes, "straight": yes}])
    all_kinds(penalties, "KlInReward", kl_in_reward, score, {"beta": "0.1", "by_k2": no, "by_k3": no, "by_abs": no}, old=True,
              variants=[{"by_k2": yes}, {"by_k3": yes}, {"by_abs": yes}])
    all_kinds(penalties, "AdaptiveKl", adaptive_kl, score, {"target": "0.1", "horizon": "100"}, old=True,
              after=adaptive_kl_states, held={"state.beta": 0.05})
    for suffix, seed, dtype in (("random", 421, np.float64), ("random_f32", 422, np.float32)):
        batch = sampled(seed, score, groups, old=True, ref=False, width=3, vocabulary=4)
        case(f"entropybonus_{suffix}", penalties, "EntropyBonus", reward_with_entropy, batch, {"bonus": "0.01"}, dtype=dtype)
        for word, bonus, last in (("on", 0.3, 0.1), ("off", 0.3, 0.9), ("most", 0.998, 0.1), ("least", 0.002, 0.9)):
            options = {"target": "5" if word in ("on", "most") else "0.2", "delta": "0.005", "least": "0", "most": "1"}
            case(f"adaptiveentropy_{word}_{suffix}", penalties, "AdaptiveEntropy", adaptive_entropy,
                 batch | {"state.bonus": np.array(bonus), "state.last": np.array(last)}, options, adaptive_entropy_states,
                 dtype=dtype)

    control = "objectives/control"
    running = {"state.total": 1.5, "state.n": 4.0, "state.rewards": -0.75}
    others_ = ["reverse_kl", "forward_kl", "total_variation", "chi_squared", "reverse_chi_squared"]
    all_kinds(control, "RunningFit", running_fit, score, {"beta": "1.5", "D": "jensen_shannon"}, old=True, group=False,
              after=running_fit_states, held=running, variants=[{"D": D} for D in others_])
    for D in ["jensen_shannon"] + others_:
        for suffix, seed, dtype, empty in (
            ("random", 431, np.float64, ()), ("random_f32", 432, np.float32, ()), ("empty", 433, np.float64, (1, 4)),
        ):
            if suffix != "random" and D not in ("jensen_shannon", "forward_kl"):
                continue
            batch = sampled(seed, score, [7, -3, 7, 7, -3, 12], old=True, empty=empty)
            rng = np.random.default_rng(seed + 1)
            kept = {g: (2 * rng.random(), float(k)) for k, g in enumerate(sorted(set(batch["group"].tolist())))}
            for name, k in (("learn.z", 0), ("learn.seen", 1)):
                batch[name] = np.array([kept[g][k] for g in batch["group"].tolist()])
            batch |= {"state.rewards": np.array(-0.75), "state.total": np.array(4.0)}
            case(f"promptfit_{D}_{suffix}", control, "PromptFit", prompt_fit, batch, {"beta": "1.5", "D": D}, prompt_fit_states,
                 dtype=dtype)
    all_kinds(control, "PointwiseConstraint", pointwise_constraint, ["reward.allowed"], {"cost": "30", "D": "forward_kl"},
              variants=[{"D": "reverse_kl"}, {"D": "jensen_shannon"}])
    all_kinds(control, "MomentFit", moment_fit, ["feature.x"], {"moment": "0.5"}, old=True, group=False,
              learned=["learn.lambda"], far=False)
    all_kinds(control, "TwoMomentsFit", two_moments_fit, ["feature.x", "feature.z"], {"first": "0.5", "second": "0.2"}, old=True,
              group=False, learned=["learn.lambda", "learn.mu"], far=False)
    all_kinds(control, "DistributionalConstraint", distributional_constraint, ["reward.x"],
              {"moment": "0.5", "D": "forward_kl"}, learned=["learn.lambda"], variants=[{"D": "jensen_shannon"}])

    methods = "constraints/methods"
    one = {"multiplier.lambda": 0.7}
    limit = {"limit": "0.1"}
    all_kinds(methods, "PpoLagrangian", ppo_lagrangian, cost, limit | {"clip": "0.2"}, old=True, ref=False,
              after=ppo_lagrangian_multipliers, held=one)
    all_kinds(methods, "SoftplusLagrangian", lagrangian, cost, limit, ref=False, after=softplus_multipliers, held=one)
    all_kinds(methods, "SquashedLagrangian", lagrangian, cost, limit, ref=False, after=squashed_multipliers, held=one)
    all_kinds(methods, "AugmentedLagrangian", augmented_lagrangian, cost, limit, ref=False, after=augmented_multipliers, held=one)
    all_kinds(methods, "PidLagrangian", pid_lagrangian, cost, limit | {"clip": "0.2"}, old=True, ref=False,
              after=pid_multipliers, held={"multiplier.lambda": [0.7, 0.2, 0.05]})
    all_kinds(methods, "AdamLagrangian", kept_lagrangian, cost, limit | {"rate": "0.035", "most": "0.72", "clip": "0.2"}, old=True,
              ref=False, after=adam_states,
              held={"state.lambda": 0.7, "state.first": -0.03, "state.second": 0.002, "state.steps": 3.0},
              variants=[{"limit": "-3"}])
    all_kinds(methods, "SmoothedPidLagrangian", kept_lagrangian, cost,
              limit | {"kp": "0.1", "ki": "0.01", "kd": "0.01", "smoothing": "0.95", "clip": "0.2"}, old=True, ref=False,
              after=smoothed_pid_states,
              held={"state.lambda": 0.7, "state.integral": 0.2, "state.error": 0.05} | {f"state.ago{k}": 0.5 - 0.07 * k for k in range(1, 11)},
              variants=[{"limit": "-3"}])
    for suffix, seed, dtype, empty, nu in (
        ("random", 491, np.float64, (), 0.3), ("random_f32", 492, np.float32, (), 0.3), ("empty", 493, np.float64, (0, 4), -2.0),
        ("extreme", 494, np.float64, (), 30.0),
    ):
        batch = sampled(seed, cost, groups, old=True, empty=empty)
        del batch["group"]
        if suffix == "extreme":
            batch = extreme_ratios(batch)
        rng = np.random.default_rng(seed + 1)
        for name in ("learn.v", "old.learn.v", "learn.c", "old.learn.c"):
            batch[name] = behind(batch["mask"], 8 * rng.random(batch["mask"].shape) - 4)
        case(f"saferlhfppo_{suffix}", "constraints/safety", "SafeRlhfPpo", safe_rlhf_ppo_objective,
             batch | {"state.nu": np.array(nu)},
             {"beta": "0.02", "threshold": "0", "rate": "0.1", "clip": "0.2", "value_clip": "1", "discount": "0.99", "trace": "0.95"},
             safe_rlhf_ppo_states, dtype=dtype)
    all_kinds(methods, "P3o", p3o, cost, limit | {"kappa": "20", "clip": "0.2"}, old=True, ref=False,
              variants=[{"limit": "-3"}, {"limit": "3"}])
    all_kinds(methods, "InteriorPoint", interior_point, cost, {"limit": "2.5", "sharpness": "20"}, ref=False)
    all_kinds(methods, "InteriorPenalty", interior_penalty, cost,
              {"limit": "2.5", "kappa": "0.5", "most": "1", "clip": "0.2"}, old=True, ref=False,
              variants=[{"limit": "-2.5"}, {"kappa": "50"}])
    all_kinds(methods, "Crpo", crpo, cost, {"limit": "1"}, old=True, ref=False, variants=[{"limit": "-4"}])
    all_kinds(methods, "TrustRegion", trust_region, cost, limit | {"radius": "0.01"}, old=True, ref=False,
              after=trust_region_multipliers, held=one | {"multiplier.mu": 1.3})
    for suffix, seed, dtype in (("random", 431, np.float64), ("random_f32", 432, np.float32)):
        for objective, loss, columns, values, after, held, ref in [
            ("With_focops", with_focops, score, {"beta": "0.1", "temperature": "1.5", "radius": "0.02"}, None, {}, True),
            ("Focops", focops, cost, limit, focops_multipliers, one, False),
            ("CupProjection", cup_projection, ["reward.cost"], {"lambda": "0.7", "discount": "0.99", "trace": "0.95"}, None, {},
             False),
        ]:
            batch = sampled(seed, columns, groups, old=True, ref=ref, width=3, vocabulary=4)
            # Some tokens within the radius, some beyond it.
            rng = np.random.default_rng(seed + 1)
            batch["old.logits"] = batch["logits"] + 0.5 * rng.random(batch["logits"].shape)
            path = "tests/oracle/specs/methods.align" if objective.startswith("With_") else methods
            case(f"{objective.lower()}_{suffix}", path, objective, loss,
                 batch | {k: np.array(v) for k, v in held.items()}, values, after, dtype=dtype)
    budgets = "constraints/budgets"
    tokens = ["reward.gain", "reward.cost"]
    all_kinds(budgets, "Saute", saute, [], {"budget": "1.5", "discount": "1", "unsafe": "-1"}, ref=False, tokens=tokens,
              variants=[{"discount": "0.9"}, {"budget": "25"}])
    all_kinds(budgets, "Simmer", simmer, [],
              {"kp": "0.1", "ki": "0.01", "kd": "0.02", "polyak": "0.9", "most": "25", "unsafe": "-1"}, ref=False, tokens=tokens,
              after=simmer_states,
              held={"state.budget": 1.25, "state.error": 0.2, "state.integral": 0.5, "state.last_wish": 0.3,
                    "state.last_step": 0.1})

    all_kinds("losses/likelihood", "Likelihood", nll, [], {}, ref=False, group=False)
    all_kinds("losses/likelihood", "Dft", dft, [], {}, ref=False, group=False)
    distillation = "losses/distillation"
    for objective, loss, values in [
        ("JsdDistillation", jsd_distillation, {"b": "0.5", "temperature": "1"}),
        ("JsdDistillation", jsd_distillation, {"b": "0.1", "temperature": "2"}),
        ("ForwardDistillation", forward_distillation, {"temperature": "1.5"}),
        ("ReverseDistillation", reverse_distillation, {"temperature": "1.5"}),
        ("MixedDistillation", mixed_distillation, {"w": "0.3", "temperature": "1"}),
        ("SkewDistillation", skew_distillation, {"skew": "0.1"}),
        ("HardAndSoftDistillation", hard_and_soft_distillation, {"b": "0.5", "temperature": "2", "hard": "0.3"}),
        ("MiniLlm", mini_llm, {"discount": "0.9", "weight": "0.7", "by_length": no, "from_start": no}),
        ("MiniLlm", mini_llm, {"discount": "0.9", "weight": "0.7", "by_length": yes, "from_start": no}),
        ("MiniLlm", mini_llm, {"discount": "0.9", "weight": "0.7", "by_length": no, "from_start": yes}),
        ("MiniLlm", mini_llm, {"discount": "0.8", "weight": "0.7", "by_length": yes, "from_start": yes}),
    ]:
        taken = objective in ("HardAndSoftDistillation", "MiniLlm")
        word = "_".join(v.replace(".", "") for v in values.values())
        for suffix, kind, impossible, dtype in [
            ("random", "", "", np.float64), ("random_f32", "", "", np.float32), ("huge", "huge", "", np.float64),
            ("impossible", "", "both", np.float64),
        ]:
            if suffix == "impossible" and (taken or objective == "SkewDistillation") or suffix == "huge" and objective == "MiniLlm":
                continue
            batch = renamed(distributions(441, kind=kind, impossible=impossible), {"other.": "t."})
            if taken:
                batch["tokens"] = (np.random.default_rng(442).random(batch["mask"].shape) * 4).astype(np.int64)
            case(f"{objective.lower()}_{word}_{suffix}", distillation, objective, loss, batch, values, dtype=dtype,
                 floor=HUGE_FLOOR * 1e4 if kind else None)
    for word, objective, loss, values in [
        ("", "TopDistillation", top_distillation, {"k": "2", "b": "0.5", "tail": yes}),
        ("alone", "TopDistillation", top_distillation, {"k": "3", "b": "0.3", "tail": no}),
        ("", "TopForwardDistillation", top_forward_distillation, {"k": "2", "tail": yes, "by_teacher": no}),
        ("teacher", "TopForwardDistillation", top_forward_distillation, {"k": "3", "tail": no, "by_teacher": yes}),
        ("", "TopReverseDistillation", top_reverse_distillation, {"k": "2", "tail": yes, "by_teacher": no}),
        ("teacher", "TopReverseDistillation", top_reverse_distillation, {"k": "3", "tail": no, "by_teacher": yes}),
        ("all", "TopReverseDistillation", top_reverse_distillation, {"k": "5", "tail": yes, "by_teacher": yes}),
        ("", "TopMixedDistillation", top_mixed_distillation, {"k": "2", "w": "0.3", "outside": no}),
        ("outside", "TopMixedDistillation", top_mixed_distillation, {"k": "3", "w": "0.5", "outside": yes}),
        ("", "CosineDistillation", cosine_distillation, {"hard": "0.5", "b": "0.5"}),
    ]:
        for suffix, seed, dtype, rows in (("random", 481, np.float64, 3), ("random_f32", 482, np.float32, 3), ("one_token", 483, np.float64, 1)):
            batch = renamed(distributions(seed, rows=rows, width=3 if rows > 1 else 1), {"other.": "t."})
            if objective == "CosineDistillation":
                batch["tokens"] = (np.random.default_rng(484).random(batch["mask"].shape) * 4).astype(np.int64)
            case("_".join(v for v in (objective.lower(), word, suffix) if v), distillation, objective, loss, batch, values, dtype=dtype)
    temperatures = {"student_temperature": "1", "teacher_temperature": "1"}
    warm = {"student_temperature": "2", "teacher_temperature": "0.7"}
    for objective, loss, shared, values in [
        ("Uld", uld, (), {"hard": "0", "weight": "1"} | temperatures),
        ("Uld", uld, (), {"hard": "0.3", "weight": "1.5"} | warm),
        ("UldAligned", uld_aligned, (), {"hard": "0", "weight": "1"} | temperatures),
        ("UldAligned", uld_aligned, (), {"hard": "0.3", "weight": "1.5"} | warm),
        ("GoldHybrid", gold_hybrid, (0, 1, 3), {"matched": "0.6", "unmatched": "0.4", "b": "0.5"} | temperatures),
        ("GoldHybrid", gold_hybrid, (0, 1, 3), {"matched": "1", "unmatched": "2", "b": "0"} | warm),
        ("GoldHybrid", gold_hybrid, (1, 2, 4), {"matched": "1", "unmatched": "0.5", "b": "1"} | temperatures),
    ]:
        word = f"{objective.lower()}_{'_'.join(values.values()).replace('.', '')}"
        for suffix, seed, kind, impossible, empty, dtype in [
            ("random", 491, "", "", (), np.float64), ("last", 492, "", "", (2,), np.float64),
            ("random_f32", 493, "", "", (), np.float32), ("smaller_pi", 494, "", "pi", (), np.float64),
            ("smaller_other", 495, "", "other", (0,), np.float64),
        ]:
            batch = two_tokenisers(seed, kind, impossible, empty, shared)
            if objective == "Uld":
                batch = {k: v for k, v in batch.items() if not k.startswith("feature.")}
            case(f"{word}_{suffix}", distillation, objective, loss, batch, values, dtype=dtype)
    all_kinds(distillation, "OnPolicyDistillation", on_policy_distillation, [], {}, ref=False, others=["t."], group=False)
    all_kinds(distillation, "SampledDistillation", sampled_distillation, [], {"cap": "2"}, old=True, ref=False, others=["t."],
              group=False)
    all_kinds(distillation, "ImportanceWeightedDistillation", importance_weighted_distillation, [], {"gamma": "0.5"}, old=True,
              ref=False, others=["t."], group=False)

    parts = "tests/oracle/specs/parts.align"
    for name, loss in PARTS.items():
        objective = "Part_" + name
        if name in ("group_normalized_floored", "leave_one_out_or_raw", "best_of_group", "length_weighted"):
            all_kinds(parts, objective, loss, ["reward.r"], {"by_deviation": yes} if name == "best_of_group" else {}, ref=False,
                      variants=[{"by_deviation": no}] if name == "best_of_group" else [])
        elif name in ("top_entropy", "top_share"):
            all_kinds(parts, objective, loss, [], {"share": "0.31"}, ref=False, group=False, tokens=["feature.h"],
                      variants=[{"share": "0.07"}, {"share": "0.93"}])
        elif name in ("token_mean_one", "sequence_mean_one"):
            all_kinds(parts, objective, loss, [], {}, old=True, ref=False, others=["sampler."], group=False)
        elif name == "token_orders":
            # A quantile of a prompt needs a token.
            all_kinds(parts, objective, loss, [], {"share": "0.3"}, ref=False, tokens=["feature.h"], variants=[{"share": "0.77"}], far=False)
        elif name == "matching":
            for suffix, seed, dtype, empty in (
                ("random", 471, np.float64, ()), ("random_f32", 472, np.float32, ()), ("empty", 473, np.float64, (1, 4)),
            ):
                batch = sampled(seed, ["reward.r"], [7, -3, 7, 7, -3, 12], ref=False, empty=empty)
                rng = np.random.default_rng(seed + 1)
                shape = batch["mask"].shape
                batch["feature.h"] = behind(batch["mask"], 2 * rng.random(shape) - 1)
                batch["feature.turn"] = behind(batch["mask"], np.floor(3 * rng.random(shape)))
                case(f"part_matching_{suffix}", parts, objective, loss, batch, dtype=dtype)
        elif name == "on_policy_mask":
            all_kinds(parts, objective, loss, ["feature.a"], {"threshold": "0.1"}, ref=False, others=["sampler."], group=False)
        else:
            bounds = {
                "sequence_sum": {"cap": "0.5", "least": "-0.5"}, "sequence_mean": {"cap": "0.05", "least": "0"},
                "sequence_max": {"cap": "0.2", "least": "0"},
            }.get(name, {"cap": "1.2", "least": "0.4"})
            all_kinds(parts, objective, loss, [], bounds, old=True, ref=False, others=["sampler."], group=False)
    all_kinds(parts, "Part_gae_through", gae_through, [], {"discount": "0.9", "trace": "0.8"}, ref=False, group=False,
              tokens=["reward.hit", "feature.value", "feature.acts"])


def reward_cases():
    spec = "tests/oracle/specs/rewards.align"
    for k, name in enumerate(ENSEMBLES):
        batch = sampled(91 + k, [], [0, 0, 1, 1, 0], ref=False)
        batch["reward.r"] = 4 * np.random.default_rng(95 + k).random((5, 5)) - 2
        case(f"reward_{name}", spec, "Ensemble_" + name, ensemble(name), batch)
    for k, name in enumerate([*SHAPED, "centered", "min_max", "clip_to_deviation"]):
        batch = sampled(101 + k, ["reward.r"], [0, 0, 1, 1, 0, 1, 1], width=7, ref=False)
        loss = shaped(name) if name in SHAPED else centered if name == "centered" else of_batch(name)
        case(f"reward_{name}", spec, "Shaped_" + name, loss, batch)


def along_cases():
    spec = "tests/oracle/specs/returns.align"
    for suffix, seed, dtype in (("random", 201, np.float64), ("random_f32", 202, np.float32)):
        for name, loss, tokens, columns in (
            ("return", discounted_return, ["reward.hit"], []),
            ("gae", generalised_advantages, ["reward.hit", "feature.value"], []),
            ("at_last", score_at_last, [], ["reward.r"]),
        ):
            # Masks have holes: the token after one is the next.
            batch = sampled(seed, columns, [0, 0, 1, 1, 0, 1], width=7, ref=False, empty=(3,))
            rng = np.random.default_rng(seed + 10)
            for column in tokens:
                batch[column] = np.where(batch["mask"], 4 * rng.random(batch["mask"].shape) - 2, np.nan)
            case(f"along_{name}_{suffix}", spec, "Along_" + name, loss, batch, dtype=dtype)


def vocabulary_cases():
    spec = "tests/oracle/specs/vocabulary.align"
    # Where the divergence is finite, and so legal, with a token that only one of the two excludes.
    for k, D in enumerate(DIVERGENCES):
        short = D.split("(")[0].lower()
        bounded = D in ("jensen_shannon", "squared_hellinger", "total_variation")
        for from_policy, objective in ((True, "FromPolicy"), (False, "ToPolicy")):
            loss = vocabulary_divergence(from_policy, D)
            name = f"vocabulary_{short}_{'pi_other' if from_policy else 'other_pi'}"
            values = {"D": D}
            case(f"{name}_random", spec, objective, loss, distributions(111 + k), values)
            case(f"{name}_impossible_both", spec, objective, loss, distributions(121 + k, impossible="both"), values)
            if bounded or (D in ("KL", "reverse_kl")) or D == "forward_kl":
                case(f"{name}_huge", spec, objective, loss, distributions(131 + k, kind="huge"), values, floor=HUGE_FLOOR)
            first = ("pi" if from_policy else "other") if D != "forward_kl" else ("other" if from_policy else "pi")
            if bounded or D in ("KL", "reverse_kl", "forward_kl"):
                case(f"{name}_impossible_{first}", spec, objective, loss,
                     distributions(141 + k, impossible=first), values)
            if D in ("KL", "jensen_shannon"):
                case(f"{name}_random_f32", spec, objective, loss, distributions(151 + k), values, dtype=np.float32)
                case(f"{name}_huge_f32", spec, objective, loss, distributions(152 + k, kind="huge"), values, dtype=np.float32, floor=HUGE_FLOOR)
    for suffix, batch, dtype in [
        ("random", distributions(161, tokens=True), np.float64),
        ("random_f32", distributions(162, tokens=True), np.float32),
        ("huge", distributions(163, kind="huge", tokens=True), np.float64),
        ("impossible", distributions(164, impossible="pi", tokens=True), np.float64),
        ("one_token", distributions(165, rows=1, width=1, tokens=True), np.float64),
    ]:
        case(f"vocabulary_entropy_{suffix}", spec, "EntropyBonus", entropy_bonus, batch, {"weight": "0.3"}, dtype=dtype)
    for b in ("0.1", "0.5"):
        case(f"vocabulary_gkd_{b.replace('.', '')}_random", spec, "Gkd", generalized_jsd, distributions(171), {"b": b})


# ---------------------------------------------------------------------------------------------
# Evaluation and files.


def lift(batch):
    """Real tensors as arrays of mpf, exactly; the others as they are."""
    return {
        k: np.frompyfunc(lambda x: mpf(float(x)), 1, 1)(v) if v.dtype.kind == "f" else v
        for k, v in batch.items()
    }


def rounded(batch, dtype):
    return {k: v.astype(dtype) if v.dtype.kind == "f" else v for k, v in batch.items()}


def trained(name):
    """Whether a gradient is asked for: the policy's own numbers, and those of learned blocks."""
    for side in SIDES:
        name = name.removeprefix(side)
    return name in ("logp", "logits") or name.startswith("learn.")


def evaluate(loss, batch, parameters):
    frozen = lift(batch)
    value = loss(Batch(frozen), Batch(frozen), **parameters)
    gradients = {}
    for name in filter(trained, batch):
        side = next((side for side in SIDES if name.startswith(side)), "")
        gradient = np.zeros(batch[name].shape)
        mask = Batch(frozen).mask(side) if gradient.ndim > 1 else None
        for index in np.ndindex(gradient.shape):
            if mask is not None and (not mask[index[:2]] or np.isneginf(batch[name][index])):
                continue
            sides = []
            for sign in (1, -1):
                if gradient.ndim == 0:
                    moved = frozen | {name: frozen[name] + sign * STEP}
                else:
                    moved = frozen | {name: frozen[name].copy()}
                    moved[name][index] = frozen[name][index] + sign * STEP
                sides.append(loss(Batch(moved), Batch(frozen), **parameters))
            gradient[index] = float((sides[0] - sides[1]) / (2 * STEP))
        gradients["grad." + name] = gradient
    return value, gradients


DTYPES = {"float64": "F64", "float32": "F32", "int64": "I64", "int32": "I32", "bool": "BOOL"}


def write(path, tensors, metadata):
    """The safetensors format: the header's length, the header, the tensors, wide ones first."""
    header, position, data = {"__metadata__": metadata}, 0, []
    for name, value in sorted(tensors.items(), key=lambda e: (-e[1].dtype.itemsize, e[0])):
        value = np.ascontiguousarray(value).reshape(value.shape)
        raw = value.astype(value.dtype.newbyteorder("<")).tobytes()
        header[name] = {
            "dtype": DTYPES[value.dtype.name],
            "shape": list(value.shape),
            "data_offsets": [position, position + len(raw)],
        }
        position += len(raw)
        data.append(raw)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data))


def parameter(text):
    if text in ("true", "false"):
        return text == "true"
    try:
        return real(text)
    except ValueError:
        return text


def check_divergences():
    """f(1) = 0 and that each f' above is the derivative of its f."""
    for name in DIVERGENCES:
        f, slope = divergence(name)
        assert f(mpf(1)) == 0, name
        for u in (mpf("0.01"), mpf("0.9"), mpf("1.1"), mpf(30)):
            difference = (f(u + STEP) - f(u - STEP)) / (2 * STEP)
            assert abs(difference - slope(u)) < mpf(10) ** -60 * (1 + abs(slope(u))), name


def main():
    check_divergences()
    preference_cases()
    unpaired_cases()
    estimator_cases()
    library_estimator_cases()
    expectation_cases()
    objective_cases()
    reward_cases()
    along_cases()
    vocabulary_cases()
    names = [c[0] for c in CASES]
    assert len(set(names)) == len(names), sorted(n for n in names if names.count(n) > 1)
    chosen = [c for c in CASES if len(sys.argv) < 2 or any(a in c[0] for a in sys.argv[1:])]
    folder = HERE / "vectors"
    folder.mkdir(exist_ok=True)
    if len(sys.argv) < 2:
        for old in folder.iterdir():
            old.unlink()
    script = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    for k, (name, spec, objective, loss, batch, parameters, multipliers, dtype, floor) in enumerate(chosen):
        batch = rounded(batch, dtype)
        values = {p: parameter(text) for p, text in parameters.items()}
        value, gradients = evaluate(loss, batch, values)
        found = {"loss": np.array(float(value))} | gradients
        if multipliers:
            found |= {m: np.array([float(e) for e in v] if isinstance(v, list) else float(v)) for m, v in multipliers(Batch(lift(batch)), **values).items()}
        assert all(np.isfinite(v).all() for v in found.values()), name
        write(
            folder / f"{name}.safetensors",
            batch | {"expected." + key: v for key, v in found.items()},
            {
                "script": script,
                "spec": spec if spec.endswith(".align") else f"stdlib/{spec}.align",
                "objective": objective,
                "parameters": json.dumps(parameters),
                "relative": "1e-10" if dtype == np.float64 else "1e-5",
                "floor": repr(floor or DEFAULT_FLOOR[dtype]),
            },
        )
        print(f"{k + 1}/{len(chosen)} {name} loss {float(value):.6g}", flush=True)
    sums = folder / "SHA256SUMS"
    sums.write_text("".join(
        f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.name}\n" for p in sorted(folder.glob("*.safetensors"))
    ))


if __name__ == "__main__":
    main()
