package org.alignlang.compiler.experiment;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.DoubleUnaryOperator;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.check.Divergence;
import org.alignlang.compiler.check.RowExpressions;
import org.alignlang.compiler.gradient.ReverseMode;
import org.alignlang.compiler.ir.Domain;
import org.alignlang.compiler.ir.GraphBuilder;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Substitution;
import org.alignlang.kernel.Signature;
import org.alignlang.runtime.experiment.ExperimentPlan;

/**
 * Recognises objectives whose optimum is known: a linear combination of expected rewards less a
 * divergence from one reference, under bounds on expected rewards and on the same divergence; or
 * the fit to a target density.
 */
final class ClosedForms {
  private ClosedForms() {}

  /**
   * What is known of an objective's optimum.
   *
   * @param form the closed form, if there is one
   * @param missing why there is none, to stand behind a colon; empty if there is one
   */
  record Found(Optional<ExperimentPlan.ClosedForm> form, String missing) {
    private static Found none(String why) {
      return new Found(Optional.empty(), why);
    }
  }

  static Found of(CheckedObjective objective, Map<String, Double> parameters) {
    // What is optimised changes with what is kept, or is no function of single responses.
    if (readsWhatMoves(objective)) {
      return Found.none(
          "what is optimised reads a kept number or a multiplier, and so changes over training");
    }
    if (objective.signature().inputs().stream().anyMatch(Signature::isOccupancy)) {
      return Found.none("occupancy measures are no function of single responses");
    }
    if (objective.target().isPresent()) {
      return new Found(
          Optional.of(
              new ExperimentPlan.ClosedForm.Target(
                  new InterpretedRow(objective.target().get(), objective, parameters))),
          "");
    }
    if (objective.expectations().isEmpty()) {
      return Found.none("the loss is one of data, and no expectation under the policy");
    }
    GraphBuilder b = objective.builder();
    Map<Node, Node> slopes =
        ReverseMode.gradient(
            b, objective.maximize() ? objective.value() : b.negate(objective.value()));
    Map<Node, Node> zeros = new LinkedHashMap<>();
    objective.expectations().forEach(t -> zeros.put(t.leaf(), b.constant(0)));
    Node rest = new Substitution(b, zeros).apply(objective.value());
    if (RowExpressions.number(rest, parameters).isEmpty()) {
      return Found.none("beside its expectations there is a term that is none");
    }
    Node reward = b.broadcast(b.constant(0), Domain.sequence("y"));
    double strength = 0;
    Optional<Divergence> divergence = Optional.empty();
    String reference = "";
    for (CheckedObjective.Term term : objective.expectations()) {
      Node slope = slopes.get(term.leaf());
      if (slope == null) {
        continue;
      }
      Optional<Double> weight = RowExpressions.number(slope, parameters);
      if (weight.isEmpty()) {
        return Found.none("what is optimised is not linear in its expectations");
      }
      if (term.divergence().isPresent()) {
        if (divergence.isPresent()) {
          return Found.none("there are two divergences");
        }
        if (!(weight.get() < 0)) {
          return Found.none("the divergence is not subtracted with a factor above 0");
        }
        divergence = term.divergence();
        reference = term.other();
        strength = -weight.get();
      } else {
        reward = b.add(reward, b.multiply(b.constant(weight.get()), term.content()));
      }
    }
    double budget = Double.POSITIVE_INFINITY;
    String budgetMultiplier = "";
    List<ExperimentPlan.ClosedForm.Bound> bounds = new ArrayList<>();
    for (CheckedObjective.Limit limit : objective.constraints()) {
      Optional<CheckedObjective.Term> term =
          objective.expectations().stream().filter(t -> t.leaf() == limit.value()).findFirst();
      Optional<Double> bound = RowExpressions.number(limit.bound(), parameters);
      if (term.isEmpty() || bound.isEmpty()) {
        return Found.none("a constraint is on something else than an expectation");
      }
      if (term.get().divergence().isEmpty()) {
        bounds.add(
            new ExperimentPlan.ClosedForm.Bound(
                "E[%s] %s %s".formatted(term.get().name(), limit.relation(), plain(bound.get())),
                new InterpretedRow(term.get().content(), objective, parameters),
                limit.relation(),
                bound.get(),
                limit.multiplier()));
        continue;
      }
      boolean same =
          divergence.isEmpty()
              || (divergence.get().f().equals(term.get().divergence().get().f())
                  && reference.equals(term.get().other()));
      if (!same || !limit.relation().equals("<=") || Double.isFinite(budget)) {
        return Found.none("a second divergence is bounded");
      }
      divergence = term.get().divergence();
      reference = term.get().other();
      budget = bound.get();
      budgetMultiplier = limit.multiplier();
    }
    Optional<DoubleUnaryOperator> inverse = divergence.flatMap(Divergence::inverse);
    if (inverse.isEmpty()) {
      return Found.none(
          divergence
              .map(d -> "the derivative of " + d.name() + "'s f has no inverse")
              .orElse("no divergence holds the policy near a reference"));
    }
    return new Found(
        Optional.of(
            new ExperimentPlan.ClosedForm.Regularised(
                new InterpretedRow(
                    b.broadcast(reward, Domain.sequence("y")), objective, parameters),
                strength,
                reference,
                divergence.orElseThrow().integrand()::applyAsDouble,
                inverse.get()::applyAsDouble,
                budget,
                budgetMultiplier,
                bounds)),
        "");
  }

  /** Whether a kept number or a multiplier is part of what is optimised. */
  private static boolean readsWhatMoves(CheckedObjective objective) {
    List<Node> read = new ArrayList<>(List.of(objective.value()));
    objective.expectations().forEach(term -> read.add(term.content()));
    objective.constraints().forEach(limit -> read.addAll(List.of(limit.value(), limit.bound())));
    objective.target().ifPresent(read::add);
    return ObjectiveProgram.reachable(read).stream()
        .anyMatch(n ->
            n.operation() instanceof Operation.Multiplier
                || (n.operation() instanceof Operation.Input input
                    && objective.signature().stateOf(input.input()).isPresent()));
  }

  private static String plain(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? String.valueOf((long) value)
        : String.valueOf(value);
  }
}
