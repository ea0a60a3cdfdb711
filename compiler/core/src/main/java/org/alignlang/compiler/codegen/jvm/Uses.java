package org.alignlang.compiler.codegen.jvm;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.plan.Plan;
import org.alignlang.compiler.plan.Planner;
import org.alignlang.compiler.plan.Site;
import org.alignlang.compiler.plan.Site.Scope;

/** Who uses which value where: decides what gets a variable and what a field. */
public final class Uses {
  private record Use(Site site, Node value) {}

  private final Map<Use, Integer> counts = new HashMap<>();
  private final Map<Node, Set<Site>> sites = new HashMap<>();

  public Uses(Plan plan) {
    plan.sites()
        .forEach((site, block) -> {
          for (Node node : block.computed()) {
            if (node.operation() instanceof Operation.Taken) {
              taken(node.operand(0), site);
            } else if (node.operation() instanceof Operation.Largest) {
              use(node.operand(1), site);
            } else if (!(node.operation() instanceof Operation.Reduce)) {
              node.operands().forEach(operand -> use(operand, site));
              if (node.operation() instanceof Operation.Checked) {
                // Once to check it, and once for what uses the checked value.
                use(node.operand(0), site);
              }
            }
          }
          for (Node reduction : block.reduced()) {
            Planner.operands(reduction).forEach(operand -> use(operand, site));
          }
          block.written().forEach(output -> use(output.value(), site));
        });
  }

  private void use(Node node, Site site) {
    Node value = Plan.base(node);
    counts.merge(new Use(site, value), 1, Integer::sum);
    sites.computeIfAbsent(value, _ -> new HashSet<>()).add(site);
  }

  private void taken(Node node, Site site) {
    Node value = Plan.base(node);
    if (Scope.of(value.domain().level()) == Scope.VOCAB && !Planner.isOrderOfEntries(value)) {
      value.operands().forEach(operand -> taken(operand, site));
    } else {
      use(value, site);
      use(value, site);
    }
  }

  /** Whether the only use of a value is at the site that computes it. */
  public boolean once(Node value, Site site) {
    return sites.getOrDefault(value, Set.of()).equals(Set.of(site))
        && counts.getOrDefault(new Use(site, value), 0) == 1;
  }

  /** Where a value is used. */
  public Set<Site> of(Node value) {
    return sites.getOrDefault(value, Set.of());
  }
}
