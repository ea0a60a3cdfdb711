package org.alignlang.compiler.check;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.Statement;
import org.alignlang.compiler.ir.GraphBuilder;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.source.Span;
import org.alignlang.kernel.Signature;

/**
 * An objective whose meaning is known: the program to run, and what it was made of, for explaining
 * it and for its closed form.
 *
 * @param declaration the declaration it was checked from
 * @param builder the builder of its graph
 * @param program what back ends lower
 * @param value the optimised value as written, with its expectations still in it
 * @param maximize whether the value is maximised
 * @param expectations the expectations in the value and the constraints
 * @param constraints the constraints
 * @param estimator the estimator's name, empty for a direct objective
 * @param actors the actors with their roles
 * @param computed what the actors are whose declarations say so
 * @param draws who draws each sequence of {@code sample}, in the order declared
 * @param fixed parameters whose values were needed while compiling, with those values
 * @param target the target density that the policy is fitted to, if the objective is only that
 * @param densities where values of {@code let} are written that are held as their logarithms
 */
public record CheckedObjective(
    Declaration.ObjectiveDeclaration declaration,
    GraphBuilder builder,
    ObjectiveProgram program,
    Node value,
    boolean maximize,
    List<Term> expectations,
    List<Limit> constraints,
    String estimator,
    Map<String, String> actors,
    Map<String, Computed> computed,
    Map<String, String> draws,
    Map<String, Double> fixed,
    Optional<Node> target,
    Set<Span> densities) {

  public CheckedObjective {
    expectations = List.copyOf(expectations);
    constraints = List.copyOf(constraints);
    actors = java.util.Collections.unmodifiableMap(new java.util.LinkedHashMap<>(actors));
    computed = java.util.Collections.unmodifiableMap(new java.util.LinkedHashMap<>(computed));
    draws = java.util.Collections.unmodifiableMap(new java.util.LinkedHashMap<>(draws));
    fixed = Map.copyOf(fixed);
    densities = Set.copyOf(densities);
  }

  public String name() {
    return declaration.name();
  }

  public Signature signature() {
    return program.signature();
  }

  /** The parameter of a name. */
  public Optional<Declaration.Parameter> parameter(String name) {
    return declaration.parameters().stream().filter(p -> p.name().equals(name)).findFirst();
  }

  /**
   * The metrics that follow the rewards which the expectations are made of. Records may take their
   * names.
   */
  public Set<String> rewardMetrics() {
    Set<String> names = new TreeSet<>();
    for (Statement statement : declaration.statements()) {
      if (statement instanceof Statement.Column column
          && column.role() == Statement.ColumnRole.REWARD
          && signature().metrics().contains(column.name())
          && expectations.stream().noneMatch(term -> term.name().equals(column.name()))) {
        names.add(column.name());
      }
    }
    return names;
  }

  /** The name of the policy that is trained, if one is. */
  public Optional<String> policy() {
    return actors.entrySet().stream()
        .filter(actor -> actor.getValue().equals("policy"))
        .map(Map.Entry::getKey)
        .findFirst();
  }

  /** Whether an expectation is a win rate against the trained policy itself. */
  public boolean playsItself() {
    return policy().isPresent()
        && !expectations.isEmpty()
        && signature().inputs().stream()
            .anyMatch(input -> Signature.opponent(input).equals(policy()));
  }

  /**
   * What an actor is, as its declaration says: {@code reference ref = ema(pi, 0.995)}.
   *
   * @param kind {@code base}, {@code initial}, {@code sampling}, {@code snapshot}, {@code ema},
   *     {@code average} or {@code soup}
   * @param arguments its numbers, and the names of the policies that it is made of, by name
   */
  public record Computed(String kind, Map<String, Object> arguments, Span span) {
    public Computed {
      arguments = Map.copyOf(arguments);
    }
  }

  /**
   * An expectation under the policy.
   *
   * @param leaf the node that stands for it in {@link #value}
   * @param content what the expectation is of, per sequence
   * @param divergence the divergence from {@code other}, if it is one
   * @param other the reference of the divergence, empty otherwise
   */
  public record Term(
      String name, Node leaf, Node content, Optional<Divergence> divergence, String other) {}

  /** A constraint: {@code value RELATION bound}, and how the loss keeps it. */
  public record Limit(Node value, String relation, Node bound, Handling handling) {

    /** The multiplier that the constraint has, if it has one. */
    public Optional<Signature.Constraint> dual() {
      return handling instanceof Handling.Multiplier m
          ? Optional.of(m.constraint())
          : Optional.empty();
    }

    /** The name of its multiplier; empty without one. */
    public String multiplier() {
      return dual().map(Signature.Constraint::multiplier).orElse("");
    }
  }

  /** How a constraint with violation {@code g} (0 or less where it holds) enters the loss. */
  public sealed interface Handling {

    /**
     * A multiplier with a dual update; with a positive {@code augmentation} that of the augmented
     * Lagrangian, {@code (max(0, lambda + rho g)^2 - lambda^2) / (2 rho)}.
     */
    record Multiplier(Signature.Constraint constraint, double augmentation) implements Handling {}

    /** {@code weight max(0, g)^power}; for an equality {@code weight |g|^power}. */
    record Penalty(Node weight, int power) implements Handling {}

    /** {@code -log(-g) / sharpness}: defined where the constraint holds strictly. */
    record Barrier(Node sharpness) implements Handling {}

    /** The loss is {@code g} itself while {@code g > tolerance}, and the objective else. */
    record Switching(Node tolerance) implements Handling {}
  }
}
