package org.alignlang.conformance;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.SourceResolver;
import org.alignlang.compiler.source.StandardLibrary;
import org.alignlang.kernel.Signature;

/**
 * Every objective of the standard library, discovered; and one for every estimator and every
 * divergence, so that those are used too.
 */
public final class StandardObjectives {
  private StandardObjectives() {}

  /** An objective, compiled with and without simplification, from log-probabilities and logits. */
  public record Variant(String name, CheckedObjective simplified, CheckedObjective plain) {
    @Override
    public String toString() {
      return name;
    }
  }

  /** The defaults of an objective's parameters. */
  public static double[] parameters(CheckedObjective objective) {
    return objective.signature().parameters().stream()
        .mapToDouble(Signature.Parameter::defaultValue)
        .toArray();
  }

  /** Multipliers that differ from each other and from 0. */
  public static double[] multipliers(CheckedObjective objective) {
    double[] multipliers = new double[objective.signature().constraints().size()];
    Arrays.setAll(multipliers, k -> 0.3 + k);
    return multipliers;
  }

  /** A source file of the library. */
  public static Compilation library(String path) {
    return Compiler.compile(
        new SourceFile("align:" + path, StandardLibrary.source(path).orElseThrow()),
        CompilerOptions.defaults());
  }

  /** Everything there is, in the order of the files. */
  public static List<Variant> all() {
    List<Variant> found = new ArrayList<>();
    StringBuilder imports = new StringBuilder();
    List<Declaration.EstimatorDeclaration> estimators = new ArrayList<>();
    List<String> divergences = new ArrayList<>();
    for (String path : StandardLibrary.modules()) {
      Compilation compilation = library(path);
      for (Declaration declaration : compilation.module().declarations()) {
        switch (declaration) {
          case Declaration.ObjectiveDeclaration objective ->
              addVariants(objective, compilation, path, found);
          case Declaration.EstimatorDeclaration estimator -> {
            String module = imported(path);
            if (imports.indexOf(module) < 0) {
              imports.append(module);
            }
            estimators.add(estimator);
          }
          case Declaration.DivergenceDeclaration divergence -> divergences.add(divergence.name());
          case Declaration.FunctionDeclaration _, Declaration.ExperimentDeclaration _ -> {}
        }
      }
    }
    StringBuilder text = new StringBuilder(imports);
    for (Declaration.EstimatorDeclaration estimator : estimators) {
      text.append(with(estimator));
    }
    for (String divergence : divergences) {
      text.append(
          """
          objective Regularised_%1$s(beta: Real = 0.1) {
            policy pi  reference ref
            reward r: sequence
            maximize E[r] - beta * %1$s(pi || ref) + 0.1 * mean[token, sequence](entropy(pi(y.vocab)))
            estimate with rloo()
          }
          objective Backwards_%1$s(beta: Real = 0.1) {
            policy pi  teacher other
            reward r: sequence
            maximize E[r] - beta * %1$s(other || pi)
            estimate with reinforce()
          }
          objective Distil_%1$s {
            policy pi  teacher other
            minimize mean[token, sequence](%1$s(other(y.vocab) || pi(y.vocab)))
          }
          """
              .formatted(divergence));
      // The link of the total variation is a sign, through which no gradient flows.
      text.append(
          divergence.equals("total_variation")
              ? ""
              : """
              objective Preference_%1$s(beta: Real = 0.1) {
                policy pi  reference ref
                pairs chosen > rejected
                let u(s) = %1$s.link(pi(s) / ref(s))
                minimize mean[pair](-log_sigmoid(beta * (u(chosen) - u(rejected))))
              }
              """
                  .formatted(divergence));
    }
    // Distributions weighed by a parameter, and vocabulary sums inside a preference loss.
    text.append(
        """
        objective Mixture(w: Real = 0.3) {
          policy pi  teacher other
          let m = w * other(y.vocab) + (1 - w) * pi(y.vocab)
          minimize mean[token, sequence](w * KL(other(y.vocab) || m) + (1 - w) * KL(pi(y.vocab) || m))
        }
        objective Tdpo(beta: Real = 0.1, alpha: Real = 0.5) {
          policy pi  reference ref
          pairs chosen > rejected
          let h(s) = log(pi(s) / ref(s))
          let drift(s) = sum[token](KL(ref(s.vocab) || pi(s.vocab)))
          minimize mean[pair](-log_sigmoid(
              beta * (h(chosen) - h(rejected) - alpha * (drift(rejected) - stop(drift(chosen))))))
        }
        """);
    addAll("generated", text.toString(), found);
    addAll("constructs", constructs(), found);
    return found;
  }

  /** An objective with an estimator: a reward and a divergence, and what the estimator asks for. */
  private static String with(Declaration.EstimatorDeclaration estimator) {
    // What has no default is data: a critic's values, or a column.
    List<Declaration.Parameter> given =
        estimator.parameters().stream().filter(p -> p.defaultValue().isEmpty()).toList();
    return """
    objective With_%s(beta: Real = 0.1) {
      policy pi  reference ref
      reward r: sequence
      %s
      maximize E[r] - beta * KL(pi || ref)
      estimate with %s(%s)
    }
    """
        .formatted(
            estimator.name(),
            given.stream()
                .map(p ->
                    p.type()
                        .map(t -> "reward " + p.name() + ": " + t.level().orElseThrow())
                        .orElse("learn " + p.name() + ": token"))
                .collect(Collectors.joining("\n  ")),
            estimator.name(),
            given.stream().map(Declaration.Parameter::name).collect(Collectors.joining(", ")));
  }

  private static String imported(String path) {
    return path.startsWith("prelude/")
        ? ""
        : "import align." + path.replace('/', '.').replaceFirst("\\.align$", "") + "\n";
  }

  /** A module with one objective, which uses an estimator of a file of the library. */
  static String plain(String path, Declaration.EstimatorDeclaration estimator) {
    return imported(path) + with(estimator);
  }

  private static void addAll(String path, String text, List<Variant> found) {
    Compilation own =
        Compiler.compile(new SourceFile(path + ".align", text), CompilerOptions.defaults());
    assertThat(own.diagnostics()).noneMatch(Diagnostic::isError);
    for (Declaration declaration : own.module().declarations()) {
      if (declaration instanceof Declaration.ObjectiveDeclaration objective) {
        addVariants(objective, own, path, found);
      }
    }
  }

  /** The text of {@code constructs.align}. */
  private static String constructs() {
    try (InputStream file = StandardObjectives.class.getResourceAsStream("constructs.align")) {
      return new String(requireNonNull(file).readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void addVariants(
      Declaration.ObjectiveDeclaration objective,
      Compilation compilation,
      String path,
      List<Variant> found) {
    String name = path + ":" + objective.name();
    Variant base = variant(name, objective, compilation, Set.of());
    found.add(base);
    boolean reads =
        base.simplified().signature().inputs().stream()
            .anyMatch(i -> i.trained() && i.name().endsWith("logp"));
    if (reads) {
      found.add(
          variant(
              name + " from logits", objective, compilation, base.simplified().actors().keySet()));
    }
  }

  private static Variant variant(
      String name,
      Declaration.ObjectiveDeclaration objective,
      Compilation compilation,
      Set<String> logits) {
    return new Variant(
        name,
        check(objective, compilation, logits, true),
        check(objective, compilation, logits, false));
  }

  private static CheckedObjective check(
      Declaration.ObjectiveDeclaration objective,
      Compilation compilation,
      Set<String> logits,
      boolean simplify) {
    DiagnosticSink sink = new DiagnosticSink();
    var checked =
        Compiler.check(
            objective,
            compilation.scope(),
            Map.of(),
            logits,
            new CompilerOptions(SourceResolver.none(), simplify, false),
            sink);
    // Warnings are about whole files, and tested there.
    assertThat(sink.sorted()).as(objective.name()).noneMatch(Diagnostic::isError);
    return checked.orElseThrow();
  }
}
