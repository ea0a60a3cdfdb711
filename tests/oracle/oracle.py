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


class Batch:
    """The tensors of one batch; rows are lists of the numbers at positions that exist."""

    def __init__(self, tensors):
        self.t = tensors

    def mask(self, side=""):
        given = self.t.get(side + "mask")
        if given is not None:
            return given.astype(bool)
        along = next(v for k, v in self.t.items() if k.startswith(side) and k.endswith(("logp", "logits")))
        return np.ones(along.shape[:2], bool)

    def count(self):
        return next(v for k, v in self.t.items() if k.endswith(("logp", "logits"))).shape[0]

    def vocabulary(self, actor=""):
        """log-softmax of an actor's logits: per row, per existing position, the list over the vocabulary."""
        z, mask = self.t[actor + "logits"], self.mask()
        return [[log_softmax(z[n, t]) for t in np.flatnonzero(mask[n])] for n in range(len(z))]

    def tokens(self, name=""):
        """log-probabilities of the taken tokens, per row; `name` is such as "chosen.ref."."""
        side = name.split(".")[0] + "." if name.startswith(("chosen.", "rejected.")) else ""
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


def mean_ratios(x, side):
    return [h / n for h, n in zip(x.ratios(side), x.lengths(side))]


def length_normalized_dpo(x, frozen, beta):
    """Lambert et al. 2024; TRL `sigmoid_norm`."""
    return mean(
        -ls(beta * (c - j)) for c, j in zip(mean_ratios(x, "chosen."), mean_ratios(x, "rejected."))
    )


def ipo(x, frozen, beta):
    """Azar et al. 2023, equation 17."""
    return pairs(x, lambda c, j: (c - j - 1 / (2 * beta)) ** 2)


def ipo_mean(x, frozen, beta):
    """TRL `ipo`: the same with means over tokens."""
    return mean(
        (c - j - 1 / (2 * beta)) ** 2
        for c, j in zip(mean_ratios(x, "chosen."), mean_ratios(x, "rejected."))
    )


def exo_pair(x, frozen, beta, smoothing):
    """Ji et al. 2024, equation 17: KL(q || labels), q the policy's preference."""

    def loss(c, j):
        w, l = s(beta * (c - j)), s(beta * (j - c))
        return w * mp.log(w / (1 - smoothing)) + l * mp.log(l / smoothing)

    return pairs(x, loss)


def nca_pair(x, frozen, beta):
    """Chen et al. 2024; TRL `nca_pair`."""
    return pairs(x, lambda c, j: -ls(beta * c) - ls(-beta * c) / 2 - ls(-beta * j) / 2)


def sppo_hard(x, frozen, beta):
    """Wu et al. 2024; TRL `sppo_hard`."""
    return pairs(x, lambda c, j: (c - 1 / (2 * beta)) ** 2 + (j + 1 / (2 * beta)) ** 2)


def apo_zero(x, frozen, beta):
    """D'Oosterlinck et al. 2024, equation 6."""
    return pairs(x, lambda c, j: 1 - s(beta * c) + s(beta * j))


def apo_down(x, frozen, beta):
    """D'Oosterlinck et al. 2024, equation 7."""
    return pairs(x, lambda c, j: s(beta * c) + 1 - s(beta * (c - j)))


# Without a reference.


def mean_logp(x, side):
    return [mean(row) for row in x.tokens(side)]


def simpo(x, frozen, beta, gamma):
    """Meng et al. 2024, equation 6."""
    return mean(
        -ls(beta * c - beta * j - gamma)
        for c, j in zip(mean_logp(x, "chosen."), mean_logp(x, "rejected."))
    )


def cpo(x, frozen, beta, alpha):
    """Xu et al. 2024, equation 6, with TRL's likelihood over all chosen tokens."""
    preference = mean(
        -ls(beta * (c - j)) for c, j in zip(x.sums("chosen."), x.sums("rejected."))
    )
    return preference - alpha * mean(lp for row in x.tokens("chosen.") for lp in row)


def orpo(x, frozen, weight):
    """Hong et al. 2024, equations 4 to 7."""

    def log_odds(mean_logp):
        p = mp.exp(mean_logp)
        return mp.log(p / (1 - p))

    return mean(
        -c - weight * ls(log_odds(c) - log_odds(j))
        for c, j in zip(mean_logp(x, "chosen."), mean_logp(x, "rejected."))
    )


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


SHAPED = {
    "clip_reward": lambda r, n: clamp(r, mpf(-1), mpf(1)),
    "centered_sigmoid": lambda r, n: s(r - real(0.25)),
    "laser_step": lambda r, n: r + (real(0.5) if n <= 3 else 0),
    "soft_overlong": lambda r, n: r + (0 if n <= 3 else -1 if n > 5 else mpf(3 - n) / 2),
    "overlong_unbounded": lambda r, n: r + min(-mpf(n - 3) / 2, mpf(0)),
}


def shaped(name):
    return lambda x, frozen: rloo(x, list(map(SHAPED[name], x.t["reward.r"], x.lengths())))


def centered(x, frozen):
    """Already centred returns: the baseline is the mean of the others' centred returns."""
    return rloo(x, centred(list(x.t["reward.r"]), x.groups()))


# Along the tokens of a sequence (Schulman et al. 2016, equations 11 and 16), written as double sums.


def at_positions(x, name):
    """A token-level tensor at the positions that exist, per row."""
    return [list(row[m]) for row, m in zip(x.t[name], x.mask())]


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
        case(f"{name}_{suffix}", spec, objective, loss, batch, values, dtype=dtype)

    add("random", paired(1, reference=reference))
    add("random_f32", paired(2, reference=reference), dtype=np.float32)
    add("one_token", one_token_pair(reference))
    add("extreme", extreme_pairs(reference))
    add("extreme_sharp", extreme_pairs(reference), sharp)
    add("extreme_f32", extreme_pairs(reference), dtype=np.float32)
    add("logits", paired(3, rows=2, widths=(3, 2), reference=reference, vocabulary=4))
    if empty_allowed:
        add("empty_rejected", paired(4, reference=reference, empty=(1, 3)))


def preference_cases():
    for spec, objective, loss, reference, parameters, sharp, empty in [
        ("losses/dpo", "LengthNormalizedDpo", length_normalized_dpo, True, {"beta": "5"}, {"beta": "2"}, False),
        ("losses/ipo", "Ipo", ipo, True, {"beta": "0.1"}, {"beta": "0.001"}, True),
        ("losses/ipo", "IpoMean", ipo_mean, True, {"beta": "0.1"}, {"beta": "0.001"}, False),
        ("losses/pairwise", "ExoPair", exo_pair, True, {"beta": "0.1", "smoothing": "0.001"},
         {"beta": "1", "smoothing": "0.3"}, True),
        ("losses/pairwise", "NcaPair", nca_pair, True, {"beta": "0.1"}, {"beta": "1"}, True),
        ("losses/pairwise", "SppoHard", sppo_hard, True, {"beta": "0.1"}, {"beta": "0.001"}, True),
        ("losses/pairwise", "ApoZero", apo_zero, True, {"beta": "0.1"}, {"beta": "1"}, True),
        ("losses/pairwise", "ApoDown", apo_down, True, {"beta": "0.1"}, {"beta": "1"}, True),
        ("losses/reference_free", "SimPo", simpo, False, {"beta": "2", "gamma": "1"},
         {"beta": "10", "gamma": "0"}, False),
        ("losses/reference_free", "Cpo", cpo, False, {"beta": "0.1", "alpha": "1"},
         {"beta": "1", "alpha": "0"}, True),
        ("losses/reference_free", "Orpo", orpo, False, {"weight": "0.1"}, {"weight": "3"}, False),
        ("losses/reference_free", "Slic", slic, False, {"margin": "1", "weight": "0.01"},
         {"margin": "60", "weight": "0"}, True),
    ]:
        pair_cases(spec, objective, loss, reference, parameters, sharp, empty)
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


def unpaired_cases():
    for objective, loss, columns, parameters, sharp in [
        ("Kto", kto, [], {"beta": "0.1", "desirable": "1", "undesirable": "1.5"},
         {"beta": "1", "desirable": "1", "undesirable": "1"}),
        ("KtoMismatched", kto_mismatched, ["feature.mismatched"],
         {"beta": "0.1", "desirable": "1.25", "undesirable": "1"},
         {"beta": "1", "desirable": "1", "undesirable": "1"}),
        ("Bco", bco, ["feature.delta"], {"beta": "0.1"}, {"beta": "1"}),
    ]:
        def labelled(batch):
            rows = next(iter(batch.values())).shape[0]
            del batch["group"]
            return batch | {"label": np.arange(rows) % 2 == 0}

        plain = labelled(sampled(31, columns, [0] * 6))
        name = objective.lower()
        case(f"{name}_random", "losses/kto", objective, loss, plain, parameters)
        case(f"{name}_random_f32", "losses/kto", objective, loss, plain, parameters, dtype=np.float32)
        case(f"{name}_extreme", "losses/kto", objective, loss, extreme_ratios(plain), parameters)
        case(f"{name}_extreme_sharp", "losses/kto", objective, loss, extreme_ratios(plain), sharp)
        case(f"{name}_one_token", "losses/kto", objective, loss, labelled(sampled(32, columns, [0], width=1)), parameters)
        case(f"{name}_empty", "losses/kto", objective, loss, labelled(sampled(33, columns, [0] * 4, empty=(1, 2))), parameters)
        case(f"{name}_logits", "losses/kto", objective, loss,
             labelled(sampled(34, columns, [0] * 3, width=2, vocabulary=4)), parameters)


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


def reward_cases():
    spec = "tests/oracle/specs/rewards.align"
    for k, name in enumerate(ENSEMBLES):
        batch = sampled(91 + k, [], [0, 0, 1, 1, 0], ref=False)
        batch["reward.r"] = 4 * np.random.default_rng(95 + k).random((5, 5)) - 2
        case(f"reward_{name}", spec, "Ensemble_" + name, ensemble(name), batch)
    for k, name in enumerate([*SHAPED, "centered"]):
        batch = sampled(101 + k, ["reward.r"], [0, 0, 1, 1, 0, 1, 1], width=7, ref=False)
        case(f"reward_{name}", spec, "Shaped_" + name, centered if name == "centered" else shaped(name), batch)


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
    return name.split(".")[-1] in ("logp", "logits") and name.removeprefix("chosen.").removeprefix("rejected.") in ("logp", "logits")


def evaluate(loss, batch, parameters):
    frozen = lift(batch)
    value = loss(Batch(frozen), Batch(frozen), **parameters)
    gradients = {}
    for name in filter(trained, batch):
        side = name.rpartition(".")[0]
        mask = Batch(frozen).mask(side + "." if side else "")
        gradient = np.zeros(batch[name].shape)
        for index in np.ndindex(gradient.shape):
            if not mask[index[:2]] or np.isneginf(batch[name][index]):
                continue
            sides = []
            for sign in (1, -1):
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
    expectation_cases()
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
            found |= {m: np.array(float(v)) for m, v in multipliers(Batch(lift(batch)), **values).items()}
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
