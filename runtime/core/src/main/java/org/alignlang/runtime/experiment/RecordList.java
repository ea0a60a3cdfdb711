package org.alignlang.runtime.experiment;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.alignlang.runtime.experiment.ExperimentPlan.Claim;
import org.alignlang.runtime.experiment.ExperimentPlan.Condition;
import org.alignlang.runtime.experiment.ExperimentPlan.Plot;
import org.alignlang.runtime.experiment.ExperimentPlan.Quantity;
import org.alignlang.runtime.experiment.ExperimentPlan.Recorded;

/**
 * What has to be recorded: what the plan records, and the expectations, divergences and entropies
 * that its claims and plots use directly.
 */
final class RecordList {
  private final List<Recorded> all = new ArrayList<>();
  private final Map<Quantity, String> names = new LinkedHashMap<>();
  private final Set<String> taken = new HashSet<>();

  /**
   * Collects the records of a plan.
   *
   * @throws ExperimentException if two have the same name
   */
  RecordList(ExperimentPlan plan) {
    for (Recorded recorded : plan.records()) {
      if (!taken.add(recorded.name())) {
        throw new ExperimentException(
            "%s: two records are called `%s`".formatted(plan.source(), recorded.name()));
      }
      all.add(recorded);
      names.putIfAbsent(recorded.quantity(), recorded.name());
    }
    for (Claim claim : plan.claims()) {
      collect(claim.condition());
    }
    for (Plot plot : plan.plots()) {
      collect(plot.vertical());
      collect(plot.horizontal());
    }
  }

  /** The records, those of the plan first. */
  List<Recorded> all() {
    return List.copyOf(all);
  }

  /** The name under which an expectation, a divergence or an entropy is recorded. */
  Optional<String> name(Quantity quantity) {
    return Optional.ofNullable(names.get(quantity));
  }

  /** What is recorded under a name. */
  Optional<Quantity> quantity(String name) {
    return all.stream()
        .filter(recorded -> recorded.name().equals(name))
        .map(Recorded::quantity)
        .findFirst();
  }

  private void collect(Condition condition) {
    switch (condition) {
      case Condition.Compare(Quantity left, String relation, Quantity right) -> {
        collect(left);
        collect(right);
      }
      case Condition.Within within -> {
        collect(within.left());
        collect(within.right());
      }
      case Condition.Both(Condition first, Condition second) -> {
        collect(first);
        collect(second);
      }
    }
  }

  private void collect(Quantity quantity) {
    switch (quantity) {
      case Quantity.Series series -> collect(series.of());
      case Quantity.Statistic statistic -> statistic.of().forEach(this::collect);
      case Quantity.Fitted fitted -> {
        collect(fitted.of());
        collect(fitted.formula());
      }
      case Quantity.Apply apply -> apply.arguments().forEach(this::collect);
      case Quantity.Expectation expectation -> add(expectation);
      case Quantity.Divergence divergence -> add(divergence);
      case Quantity.OccupancyDivergence divergence -> add(divergence);
      case Quantity.Entropy entropy -> add(entropy);
      case Quantity.Exploitability exploitability -> add(exploitability);
      case Quantity.Agreement agreement -> add(agreement);
      case Quantity.Diversity diversity -> add(diversity);
      // What is asked for at the optimum alone needs no record.
      case Quantity.Exact exact -> {}
      case Quantity.BestOf bestOf -> {}
      case Quantity.Constant constant -> {}
      case Quantity.Named named -> {}
      case Quantity.Label label -> {}
      case Quantity.Coefficient coefficient -> {}
    }
  }

  private void add(Quantity quantity) {
    if (names.containsKey(quantity)) {
      return;
    }
    String text = QuantityText.show(quantity);
    String name = text;
    for (int i = 2; !taken.add(name); i++) {
      name = text + " #" + i;
    }
    names.put(quantity, name);
    all.add(new Recorded(name, quantity));
  }
}
