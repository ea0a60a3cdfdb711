package org.alignlang.integration;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.diagnostic.Severity;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.experiment.ExperimentCompiler;
import org.alignlang.compiler.reference.InterpretedKernel;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.kernel.Workers;
import org.alignlang.runtime.experiment.ExperimentPlan;
import org.alignlang.runtime.experiment.ExperimentRunner;
import org.alignlang.runtime.experiment.Progress;
import org.alignlang.runtime.experiment.RunLog;
import org.alignlang.runtime.experiment.TrainingId;
import org.alignlang.runtime.train.Trainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Every Align block of the documentation says what is so, and every link leads somewhere.
 *
 * <p>A block is a module that compiles without errors and warnings, and whose experiments can begin
 * to train; unless its fence says otherwise:
 *
 * <ul>
 *   <li>{@code error=ALNxxxx}: it has that finding and no other
 *   <li>{@code fragment}: statements of an objective, which is given the actors, rewards and the
 *       optimised line that they lack, or expressions, each of which becomes a {@code let}. What is
 *       then unused, or not estimated, is not looked at.
 * </ul>
 */
class DocumentationTest {
  private static final Path ROOT = Path.of("..", "..");

  /** What experiments in documents may read. */
  private static final Path DATA = ROOT.resolve("samples/preferences");

  private static final Pattern BLOCK =
      Pattern.compile("^```align ?([^\\n]*)\\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);
  private static final Pattern FENCED =
      Pattern.compile("^```.*?^```$", Pattern.MULTILINE | Pattern.DOTALL);
  private static final Pattern CODE = Pattern.compile("`[^`\\n]*`");
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");
  private static final Pattern ANCHOR = Pattern.compile("<a id=\"([^\"]+)\">");
  private static final Pattern HEADING = Pattern.compile("^#{1,6} (.*)$", Pattern.MULTILINE);
  private static final Pattern STATEMENT =
      Pattern.compile(
          "(policy|reference|teacher|behavior|reward|feature|pairs|labelled|group|let|target"
              + "|maximize|minimize|subject|estimate|metric)\\b.*");

  private record Block(Path file, int line, String tag, String text) {}

  private static List<Path> pages(Predicate<String> wanted) {
    List<Path> found = new ArrayList<>();
    try {
      Files.walkFileTree(
          ROOT,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
              String name = folder.getFileName().toString();
              boolean own = name.equals("..") || !name.startsWith(".") && !name.equals("target");
              return own ? FileVisitResult.CONTINUE : FileVisitResult.SKIP_SUBTREE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
              String name = ROOT.relativize(file).toString().replace('\\', '/');
              if (name.endsWith(".md") && wanted.test(name)) {
                found.add(file);
              }
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return found.stream().sorted().toList();
  }

  /** The pages of diagnostics have a test and a form of their own. */
  private static boolean executed(String name) {
    return !name.contains("/diagnostic/pages/");
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<Block> blocks(Path file) {
    String text = read(file);
    List<Block> blocks = new ArrayList<>();
    Matcher match = BLOCK.matcher(text);
    while (match.find()) {
      int line = 1 + (int) text.substring(0, match.start()).chars().filter(c -> c == '\n').count();
      blocks.add(new Block(file, line, match.group(1).strip(), match.group(2)));
    }
    return blocks;
  }

  @TestFactory
  Stream<DynamicTest> everyBlockIsTrue() {
    List<Block> blocks =
        pages(DocumentationTest::executed).stream().flatMap(page -> blocks(page).stream()).toList();
    assertThat(blocks).hasSizeGreaterThan(15);
    return blocks.stream()
        .map(block ->
            DynamicTest.dynamicTest(
                "%s:%d".formatted(ROOT.relativize(block.file()), block.line()),
                block.file().toUri(),
                () -> execute(block)));
  }

  private static void execute(Block block) {
    if (block.tag().isEmpty()) {
      assertThat(findings(block.text())).isEmpty();
    } else if (block.tag().startsWith("error=")) {
      DiagnosticCode code = DiagnosticCode.find(block.tag().substring(6)).orElseThrow();
      assertThat(findings(block.text()))
          .isNotEmpty()
          .allSatisfy(finding -> assertThat(finding.code()).isEqualTo(code));
    } else {
      assertThat(block.tag()).isEqualTo("fragment");
      assertThat(findings(objective(block.text())))
          .filteredOn(finding ->
              !Set.of(
                      DiagnosticCode.UNUSED_DATA,
                      DiagnosticCode.UNUSED_PARAMETER,
                      DiagnosticCode.MISSING_ESTIMATE)
                  .contains(finding.code()))
          .isEmpty();
    }
  }

  /** Errors and warnings; notes are for what was accepted on purpose. */
  private static List<Diagnostic> findings(String text) {
    CompilerOptions options = CompilerOptions.defaults();
    Compilation compiled = Compiler.compile(new SourceFile("page.align", text), options);
    DiagnosticSink sink = new DiagnosticSink();
    compiled.diagnostics().forEach(sink::report);
    if (!sink.hasErrors()) {
      for (Declaration.ExperimentDeclaration experiment : compiled.experiments()) {
        ExperimentCompiler.compile(
                experiment,
                compiled.scope(),
                DATA,
                options,
                objective -> new InterpretedKernel(objective.program()),
                ExperimentCompiler.Overrides.NONE,
                sink)
            .ifPresent(DocumentationTest::begin);
      }
    }
    return sink.sorted().stream().filter(d -> d.severity() != Severity.NOTE).toList();
  }

  /** Makes the parts of every training, which is where arguments of tasks and policies are read. */
  private static void begin(ExperimentPlan plan) {
    for (TrainingId training : ExperimentRunner.trainings(plan, 1)) {
      if (plan.points().get(training.point()) instanceof ExperimentPlan.Study) {
        // A study reads its arguments when it computes.
        new ExperimentRunner(
                plan, ExperimentRunner.Options.standard(), Progress.silent(), RunLog.none())
            .run();
        return;
      }
      if (training.seedIndex() == 0) {
        Trainer trainer = new Trainer(plan, training, plan.records(), Workers.serial());
        assertThat(trainer.step()).isZero();
      }
    }
  }

  private static String objective(String fragment) {
    StringBuilder body = new StringBuilder();
    int expressions = 0;
    for (String line : fragment.lines().toList()) {
      boolean begins = !line.isBlank() && !line.startsWith(" ") && !line.startsWith("//");
      if (begins && !STATEMENT.matcher(line).matches()) {
        body.append("let expression_").append(++expressions).append(" = ");
      }
      body.append(line).append('\n');
    }
    boolean paired = fragment.contains("chosen");
    StringBuilder whole = new StringBuilder("objective Fragment(beta: Real = 0.1) {\n");
    for (String lacking :
        List.of("policy pi", "reference ref", "behavior old", "reward r: sequence")) {
      String pattern =
          "(?ms).*^\\s*" + lacking.replaceFirst(":.*", "").replace(" ", "\\s+") + "\\b.*";
      if (!fragment.matches(pattern)) {
        whole.append(lacking).append('\n');
      }
    }
    if (paired && !fragment.contains("pairs")) {
      whole.append("pairs chosen > rejected\n");
    }
    whole.append(body);
    if (!fragment.contains("maximize") && !fragment.contains("minimize")) {
      whole.append(
          paired
              ? "minimize -mean[pair](log(pi(chosen)))\n"
              : "minimize -mean[sequence](log(pi(y)))\n");
    }
    return whole.append("}\n").toString();
  }

  // Links.

  @Test
  void everyRelativeLinkLeadsSomewhere() {
    List<String> broken = new ArrayList<>();
    int links = 0;
    for (Path page : pages(name -> true)) {
      String prose = CODE.matcher(FENCED.matcher(read(page)).replaceAll("")).replaceAll("");
      Matcher link = LINK.matcher(prose);
      while (link.find()) {
        String target = link.group(1);
        if (target.contains("://") || target.startsWith("mailto:")) {
          continue;
        }
        links++;
        int hash = target.indexOf('#');
        String path = hash < 0 ? target : target.substring(0, hash);
        Path file = path.isEmpty() ? page : page.resolveSibling(path);
        boolean leads =
            Files.exists(file) && (hash < 0 || anchors(file).contains(target.substring(hash + 1)));
        if (!leads) {
          broken.add(ROOT.relativize(page) + ": " + target);
        }
      }
    }
    assertThat(links).isGreaterThan(10);
    assertThat(broken).isEmpty();
  }

  /** The anchors of a page: those of its headings, as GitHub makes them, and its own. */
  private static Set<String> anchors(Path page) {
    Set<String> anchors = new TreeSet<>();
    String prose = FENCED.matcher(read(page)).replaceAll("");
    ANCHOR.matcher(prose).results().map(r -> r.group(1)).forEach(anchors::add);
    Matcher heading = HEADING.matcher(prose);
    while (heading.find()) {
      anchors.add(
          heading
              .group(1)
              .strip()
              .toLowerCase(Locale.ROOT)
              .replaceAll("[^\\p{L}\\p{N} _-]", "")
              .replace(' ', '-'));
    }
    return anchors;
  }
}
