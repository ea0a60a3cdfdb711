package org.alignlang.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.alignlang.runtime.run.RunStore;
import org.alignlang.runtime.run.StoredRun;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code align run}, {@code verify}, {@code runs} and {@code compare} as a user calls them. */
class ExperimentCommandsTest {
  private static final String SPEC =
      """
      objective Regularised(beta: Real = 0.5) {
        policy    pi
        reference ref
        reward    helpful: sequence
        maximize  E[helpful] - beta * KL(pi || ref)
        estimate  with exact()
      }

      experiment Sweep {
        task      bandit(helpful = [2, 1, 0, -1, -1, -2])
        train     Regularised(beta = [0.5, 2])
        optimizer natural(rate = 0.3)
        steps     60
        seeds     3
        batch     0
        record    usefulness = E[task.helpful], distance = KL(pi || ref)
        plot      usefulness against step by beta "usefulness <over> training"
        expect    final(usefulness, beta = 0.5) > final(usefulness, beta = 2) "less penalty, more use"
        expect    final(distance) within 1% of exact(distance)  "the closed form is reached"
      }

      experiment Wrong {
        task      bandit(arms = 6)
        train     Regularised()
        steps     5
        record    usefulness = E[task.helpful]
        expect    final(usefulness) > 1000  "more than there is"
      }
      """;

  @TempDir Path folder;
  private Path spec;
  private Path runs;

  private record Outcome(int exit, String out, String err) {}

  @BeforeEach
  void writeSpec() throws IOException {
    spec = folder.resolve("spec.align");
    runs = folder.resolve("runs");
    Files.writeString(spec, SPEC);
  }

  private static Outcome align(Object... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    String[] texts = Stream.of(arguments).map(Object::toString).toArray(String[]::new);
    int exit = Main.run(texts, out, err);
    return new Outcome(
        exit, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  private StoredRun onlyRun() {
    assertThat(new RunStore(runs).list()).hasSize(1);
    return new RunStore(runs).list().getFirst();
  }

  @Test
  void runsAnExperimentAndKeepsIt() throws IOException {
    Outcome outcome = align("run", spec, "Sweep", "--out", runs, "--threads", "2");
    assertThat(outcome.exit()).as(outcome.err()).isZero();
    assertThat(outcome.out())
        .contains("beta", "usefulness", "closed form", "difference", "✓ holds", "report: ");
    StoredRun run = onlyRun();
    assertThat(run.status()).isEqualTo(StoredRun.Status.COMPLETE);
    assertThat(run.results().orElseThrow().passed()).isTrue();
    String report = Files.readString(run.report());
    assertThat(report)
        .contains(
            "<h1>Sweep</h1>",
            "maximize  E[helpful] - beta * KL(pi || ref)",
            "usefulness &lt;over&gt; training",
            "✓ holds",
            "arm ",
            "bandit(helpful = [2, 1, 0, -1, -1, -2])",
            "align run ");
    assertThat(report.replace("http://www.w3.org/2000/svg", ""))
        .doesNotContain("http:", "https:", "src=", "href=", "<script", "@import", "url(");
    assertThat(run.path().resolve("spec/spec.align")).hasContent(SPEC.strip());
  }

  @Test
  void jsonIsOneLineAndNothingElse() {
    Outcome outcome =
        align("run", spec, "Wrong", "--out", runs, "--json", "--seed", "7", "--seeds", "2");
    assertThat(outcome.exit()).isEqualTo(ExitCode.FINDINGS);
    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.out().lines()).hasSize(1);
    JsonNode json = JsonMapper.builder().build().readTree(outcome.out());
    assertThat(json.at("/results/passed").asBoolean()).isFalse();
    assertThat(json.at("/results/claims/0/text").asString()).isEqualTo("final(usefulness) > 1000");
    assertThat(json.at("/results/trainings/1/seed").asInt()).isEqualTo(8);
    assertThat(json.at("/results/quantities/0/last/count").asInt()).isEqualTo(2);
  }

  @Test
  void parametersStepsAndSeedsAreSetFromOutside() {
    Outcome outcome =
        align(
            "run",
            spec,
            "Sweep",
            "--out",
            runs,
            "-s",
            "beta=3",
            "--steps",
            "4",
            "--seeds",
            "1",
            "--json",
            "--backend",
            "reference");
    // The claims name points of the sweep, which is gone.
    assertThat(outcome.exit()).isNotZero();
    Outcome wrong =
        align("run", spec, "Wrong", "--out", runs, "-s", "beta=3", "--steps", "4", "--json");
    assertThat(wrong.exit()).isEqualTo(ExitCode.FINDINGS);
    StoredRun run = new RunStore(runs).find("Wrong");
    assertThat(run.manifest().points().getFirst().parameters()).containsEntry("beta", 3.0);
    assertThat(run.manifest().steps()).isEqualTo(4);
    assertThat(run.manifest().overrides()).containsEntry("beta", "3");
  }

  @Test
  void aStoppedRunGoesOnToTheSameNumbers() throws IOException {
    align("run", spec, "Sweep", "--out", runs);
    StoredRun whole = onlyRun();
    String numbers = Files.readString(whole.path().resolve("metrics/point0-seed1.jsonl"));
    // As a kill before the end leaves it.
    Files.delete(whole.path().resolve("results.json"));
    Files.writeString(
        whole.path().resolve("metrics/point0-seed1.jsonl"),
        numbers.substring(0, numbers.length() / 2));
    Files.delete(whole.path().resolve("checkpoints/point0-seed1/step-0000000060.checkpoint"));
    Outcome outcome = align("run", "--resume", "--out", runs, "--threads", "3");
    assertThat(outcome.exit()).as(outcome.err()).isZero();
    assertThat(onlyRun().status()).isEqualTo(StoredRun.Status.COMPLETE);
    assertThat(whole.path().resolve("metrics/point0-seed1.jsonl")).hasContent(numbers);

    assertThat(align("run", "--resume", "--out", runs).err())
        .contains("has stopped before its end");
    assertThat(align("run", "--resume", "latest", "--steps", "9", "--out", runs).err())
        .contains("leave out");
    Files.writeString(spec, SPEC.replace("less penalty", "no penalty"));
    Outcome changed = align("run", "--resume", whole.path());
    assertThat(changed.exit()).isEqualTo(ExitCode.USAGE);
    assertThat(changed.err()).contains("`spec.align` has changed", "spec/spec.align");
  }

  @Test
  void mistakesGetOneSentence() throws IOException {
    assertError(align("run", spec, "Swep", "--out", runs), "did you mean `Sweep`?");
    assertError(align("run", spec, "--out", runs), "say which: Sweep, Wrong");
    assertError(align("run", folder.resolve("none.align")), "there is no file");
    assertError(align("run"), "say which spec to run");
    assertError(align("run", spec, "Wrong", "--threads", "0"), "--threads");
    assertError(align("run", spec, "Wrong", "--steps", "0"), "--steps");
    assertError(align("run", spec, "Wrong", "--backend", "referense"), "did you mean `reference`?");
    assertError(align("run", "--resume", "none", "--out", runs), "there is no run `none`");
    Path objective = folder.resolve("objective.align");
    Files.writeString(objective, SPEC.substring(0, SPEC.indexOf("experiment")));
    assertError(align("run", objective), "declares no experiment");
    assertError(align("verify", objective), "there is no experiment in");
    Path file = folder.resolve("file");
    Files.writeString(file, "");
    assertError(align("run", spec, "Wrong", "--out", file), "no run can be written to folder");
    assertThat(Files.exists(runs)).isFalse();
  }

  private static void assertError(Outcome outcome, String sentence) {
    assertThat(outcome.exit()).isEqualTo(ExitCode.USAGE);
    assertThat(outcome.out()).isEmpty();
    assertThat(outcome.err()).startsWith("error: ").contains(sentence);
    assertThat(outcome.err().lines()).hasSize(1);
  }

  @Test
  void anUnknownParameterIsAFinding() {
    Outcome outcome = align("run", spec, "Wrong", "--out", runs, "-s", "betta=3");
    assertThat(outcome.exit()).isEqualTo(ExitCode.FINDINGS);
    assertThat(outcome.err()).contains("betta");
    assertThat(Files.exists(runs)).isFalse();
  }

  @Test
  void aParameterGoesToTheObjectivesThatHaveIt() throws IOException {
    Files.writeString(
        spec,
        SPEC
            + """

            objective Plain {
              policy pi
              reward helpful: sequence
              maximize E[helpful]
              estimate with reinforce()
            }

            experiment Both {
              task      bandit(arms = 6)
              train     [Regularised(), Plain()]
              steps     3
              record    usefulness = E[task.helpful]
            }
            """);
    assertThat(align("run", spec, "Both", "--out", runs, "-s", "beta=3").exit())
        .isEqualTo(ExitCode.CLEAN);
    assertThat(onlyRun().manifest().points())
        .extracting(point -> point.parameters().get("beta"))
        .containsExactly(3.0, null);

    Outcome none = align("run", spec, "Both", "--out", runs, "-s", "betta=3");
    assertThat(none.exit()).isEqualTo(ExitCode.FINDINGS);
    assertThat(none.err()).contains("no objective that is trained has a parameter called `betta`");
  }

  @Test
  void aRunThatWasKilledBeforeItBeganIsExplained() throws IOException {
    Path killed = Files.createDirectories(runs.resolve("20260101-120000-Sweep"));
    Files.createFile(killed.resolve("run.lock"));
    Files.createDirectory(killed.resolve("spec"));

    String why = "was killed before its first step, and holds nothing to go on with";
    assertError(align("run", "--resume", "--out", runs), why);
    assertError(align("run", "--resume", killed.toString(), "--out", runs), why);
    assertError(align("run", "--resume", "Sweep", "--out", runs), why);
    Outcome list = align("runs", runs);
    assertThat(list.exit()).isEqualTo(ExitCode.CLEAN);
    assertThat(list.err()).contains(killed.toString(), why);
  }

  @Test
  void aTrainingThatIsNoLongerFiniteSaysSoAndKeepsItsRecords() throws IOException {
    Files.writeString(
        spec,
        """
        objective Exploding(scale: Real = 1e200) {
          policy    pi
          minimize  mean[sequence](log(pi(y))^2 * scale^2)
        }
        experiment Explodes {
          task  bandit(arms = 4)
          train Exploding()
          steps 10
          record usefulness = E[task.helpful]
        }
        """);
    Outcome outcome = align("run", spec, "--out", runs);
    assertThat(outcome.exit()).as(outcome.err()).isEqualTo(ExitCode.FINDINGS);
    assertThat(outcome.err()).contains("stopped at step 0", "Infinity").doesNotContain("\tat ");
    assertThat(new RunStore(runs).list()).isEmpty();
  }

  @Test
  void aConstraintThatNoPolicyMeetsIsFoundBeforeTraining() throws IOException {
    Files.writeString(
        spec,
        """
        objective Impossible() {
          policy     pi
          reference  ref
          reward     helpful: sequence
          reward     harm: sequence
          maximize   E[helpful] - 0.1 * KL(pi || ref)
          subject to E[harm] <= 0.000001 multiplier lambda(init = 0, rate = 0.1)
          estimate   with exact()
        }
        experiment NoWay {
          task  bandit(helpful = [1, 0], harm = [0.5, 0.4])
          train Impossible()
          steps 10
          batch 0
          record usefulness = E[task.helpful]
          expect final(usefulness) within 1% of exact(usefulness) "it gets there"
        }
        """);
    Outcome outcome = align("run", spec, "--out", runs);
    assertThat(outcome.exit()).as(outcome.err() + outcome.out()).isEqualTo(ExitCode.FINDINGS);
    assertThat(outcome.err()).startsWith("error: ").contains("no policy");
    assertThat(new RunStore(runs).list()).isEmpty();
  }

  @Test
  void verifiesEveryExperimentOfAFolder() throws IOException {
    Outcome outcome = align("verify", folder);
    assertThat(outcome.exit()).isEqualTo(ExitCode.FINDINGS);
    assertThat(outcome.out())
        .contains(
            "  ✓ less penalty, more use",
            "  ✓ the closed form is reached",
            "at 2 points",
            "  ✗ more than there is",
            "final(usefulness) > 1000",
            "it fails, as the claim is `>`",
            "2 experiments, 2 of 3 claims hold.")
        .containsPattern("Sweep +seeds? [0-9]");
    assertThat(outcome.out().lines()).allMatch(line -> line.length() <= 100 || line.contains("/"));
    assertThat(outcome.out()).doesNotContain("within 1% of exact");
    assertThat(align("verify", folder, "--details").out())
        .contains("within 1% of exact", "      beta = 0.5 ");
    assertThat(Files.exists(Path.of("runs"))).isFalse();
    Files.writeString(spec, SPEC.substring(0, SPEC.indexOf("experiment Wrong")));
    Outcome good = align("verify", spec, "--json", "--out", runs);
    assertThat(good.exit()).as(good.err()).isZero();
    JsonNode json = JsonMapper.builder().build().readTree(good.out());
    assertThat(json.at("/passed").asBoolean()).isTrue();
    assertThat(json.at("/experiments/0/seeds/0").asInt()).isEqualTo(1);
    assertThat(json.at("/experiments/0/claims/0/parts/0/difference/low").asDouble()).isPositive();
    assertThat(onlyRun().status()).isEqualTo(StoredRun.Status.COMPLETE);
    Files.writeString(spec, "objective {");
    assertThat(align("verify", spec).exit()).isEqualTo(ExitCode.FINDINGS);
  }

  @Test
  void checkJudgesTheArgumentsOfWhatExperimentsName() throws IOException {
    Files.writeString(
        spec,
        SPEC.substring(0, SPEC.indexOf("experiment Sweep"))
            + """
            experiment A {
              task   bandit(arm = 4)
              train  Regularised()
              steps  1
              record x = E[task.helpful]
              expect final(x) > 0

              control "other words" {
                task sequences(lettrs = 2)
              }
            }

            experiment B {
              task      bandit(arms = 4)
              train     Regularised()
              optimizer adam(rate = -1)
              steps     1
            }

            experiment C {
              study  rectified_flow(method = "preference", data = 200000, slopes = [1, 2])
              expect final(average) > 0
            }
            """);
    Outcome outcome = align("check", spec);
    assertThat(outcome.exit()).isEqualTo(ExitCode.FINDINGS);
    assertThat(outcome.out() + outcome.err())
        .contains(
            "task `bandit` has no argument `arm`; did you mean `arms`?",
            "spec.align:10:10",
            "task `sequences` has no argument `lettrs`",
            "argument `rate` of optimizer `adam`",
            "argument `weights` of study `rectified_flow` must be one number for each of `slopes`",
            "4 errors");
  }

  @Test
  void listsAndComparesRuns() throws IOException {
    assertThat(align("runs", runs).err()).contains("there are no runs");
    align("run", spec, "Sweep", "--out", runs);
    align("run", spec, "Sweep", "--out", runs, "--steps", "2");
    Outcome list = align("runs", runs);
    assertThat(list.exit()).isZero();
    assertThat(list.out().lines().toList()).hasSize(4);
    assertThat(list.out()).contains("complete", "360", "✓ 2 of 2 hold", "usefulness ");
    assertThat(align("runs", runs, "--json").out().lines()).hasSize(2);

    List<String> names = new ArrayList<>();
    new RunStore(runs).list().forEach(run -> names.add(run.name()));
    Outcome comparison = align("compare", names.get(0), names.get(1), "--out", runs);
    assertThat(comparison.exit()).as(comparison.err()).isZero();
    assertThat(comparison.out())
        .contains("steps", "60", "usefulness", "distance", "beta = 0.5", "paired by seed")
        .doesNotContain("optimizer");
    Path plot = runs.resolve("compare-%s-%s.svg".formatted(names.get(0), names.get(1)));
    assertThat(Files.readString(plot)).contains("A: beta = 0.5", "B: beta = 0.5");
    assertError(align("compare", "x", "latest", "--out", runs), "there is no run `x`");
  }
}
