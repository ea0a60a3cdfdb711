package org.alignlang.compiler.codegen.tornado;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.plan.Plan;
import org.alignlang.compiler.plan.Site;
import org.alignlang.compiler.plan.Site.Scope;

/**
 * How the loops of a plan become kernels. A pass over the rows is one kernel with a group of
 * threads for each row, unless it visits logits: each nest of loops over the vocabulary is a kernel
 * of its own, with a group of threads for each token, and its sums over tokens are taken at the
 * beginning of the next one. What is between passes is one kernel with a single group of threads.
 *
 * @param all the kernels, in the order in which they run
 * @param places the kernel of each site
 */
record Kernels(List<Kernel> all, Map<Site, Integer> places) {

  /** What a group of threads works on. */
  enum Kind {
    BATCH,
    ROWS,
    TOKENS
  }

  /** A part of a kernel. */
  sealed interface Item {
    /** Values of the batch, of groups, or of a row. */
    record Values(Site site, Plan.Block block) implements Item {}

    /** A loop over the tokens of a row. */
    record Tokens(String owner, Map<Site, Plan.Block> sites) implements Item {}

    /** Sums over tokens of values that a kernel of tokens kept. */
    record Sums(String owner, List<Node> reductions) implements Item {}

    /** Everything for a token, with the loops over its logits. */
    record Vocabulary(Map<Site, Plan.Block> sites) implements Item {}
  }

  /**
   * A kernel.
   *
   * @param kind what a group of threads works on
   * @param pass the pass over the rows that it belongs to; -1 is before the first
   * @param owner the sequence of a kernel of tokens, else empty
   * @param items its parts, in order
   */
  record Kernel(Kind kind, int pass, String owner, List<Item> items) {}

  static Kernels of(Plan plan) {
    List<Kernel> kernels = new ArrayList<>();
    for (int pass = -1; pass < plan.passes(); pass++) {
      if (pass >= 0) {
        addRows(plan, pass, kernels);
      }
      addBetween(plan, pass, kernels);
    }
    Map<Site, Integer> places = new HashMap<>();
    for (int k = 0; k < kernels.size(); k++) {
      for (Item item : kernels.get(k).items()) {
        switch (item) {
          case Item.Values values -> places.put(values.site(), k);
          case Item.Tokens tokens -> {
            for (Site site : tokens.sites().keySet()) {
              places.put(site, k);
            }
          }
          case Item.Vocabulary vocabulary -> {
            for (Site site : vocabulary.sites().keySet()) {
              places.put(site, k);
            }
          }
          case Item.Sums _ -> {}
        }
      }
    }
    return new Kernels(List.copyOf(kernels), Map.copyOf(places));
  }

  private static void addRows(Plan plan, int pass, List<Kernel> kernels) {
    List<Item> row = new ArrayList<>();
    for (Map<Site, Plan.Block> step : steps(plan, pass, true).values()) {
      Map<String, Map<Site, Plan.Block>> owners = new TreeMap<>();
      step.forEach((site, block) -> {
        if (site.scope() == Scope.ROW) {
          row.add(new Item.Values(site, block));
        } else {
          owners.computeIfAbsent(site.owner(), _ -> new LinkedHashMap<>()).put(site, block);
        }
      });
      owners.forEach((owner, sites) -> {
        if (!visitsLogits(sites)) {
          row.add(new Item.Tokens(owner, sites));
        }
      });
      List<Item> sums = new ArrayList<>();
      owners.forEach((owner, sites) -> {
        if (visitsLogits(sites)) {
          finish(pass, row, kernels);
          kernels.add(new Kernel(Kind.TOKENS, pass, owner, List.of(new Item.Vocabulary(sites))));
          List<Node> reductions =
              sites.entrySet().stream()
                  .filter(entry -> entry.getKey().scope() == Scope.TOKEN)
                  .flatMap(entry -> entry.getValue().reduced().stream())
                  .toList();
          if (!reductions.isEmpty()) {
            sums.add(new Item.Sums(owner, reductions));
          }
        }
      });
      row.addAll(sums);
      if (plan.split().contains(pass)) {
        finish(pass, row, kernels);
      }
    }
    finish(pass, row, kernels);
  }

  private static void finish(int pass, List<Item> row, List<Kernel> kernels) {
    if (!row.isEmpty()) {
      kernels.add(new Kernel(Kind.ROWS, pass, "", List.copyOf(row)));
      row.clear();
    }
  }

  private static void addBetween(Plan plan, int pass, List<Kernel> kernels) {
    List<Item> items = new ArrayList<>();
    for (Map<Site, Plan.Block> step : steps(plan, pass, false).values()) {
      step.forEach((site, block) -> items.add(new Item.Values(site, block)));
    }
    if (!items.isEmpty()) {
      kernels.add(new Kernel(Kind.BATCH, pass, "", List.copyOf(items)));
    }
  }

  /** The sites of a pass by step, inside the rows or between them. */
  private static Map<Integer, Map<Site, Plan.Block>> steps(Plan plan, int pass, boolean rows) {
    Map<Integer, Map<Site, Plan.Block>> steps = new TreeMap<>();
    plan.sites()
        .forEach((site, block) -> {
          boolean inside = site.scope().compareTo(Scope.ROW) >= 0;
          boolean empty =
              block.computed().isEmpty() && block.reduced().isEmpty() && block.written().isEmpty();
          if (site.pass() == pass && inside == rows && !empty) {
            steps.computeIfAbsent(site.rowStep(), _ -> new LinkedHashMap<>()).put(site, block);
          }
        });
    return steps;
  }

  private static boolean visitsLogits(Map<Site, Plan.Block> sites) {
    return sites.keySet().stream().anyMatch(site -> site.scope() == Scope.VOCAB);
  }
}
