package org.alignlang.cli.emit;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.alignlang.cli.ExitCode;
import org.alignlang.cli.Output;
import org.alignlang.cli.SpecFile;
import org.alignlang.cli.Specs;
import org.alignlang.cli.Summary;
import org.alignlang.cli.UserError;
import org.alignlang.cli.check.Format;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.api.JavaSources;
import org.alignlang.compiler.codegen.api.KernelKind;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.SourceFolder;

/** Generates a folder of specs as a build does: all together, in packages that follow folders. */
public final class TreeGenerator {
  private final Output output;
  private final Settings settings;

  /**
   * What is asked for.
   *
   * @param root the folder of specs
   * @param prefix what stands before the packages that the folders give
   * @param out the folder of the source tree
   * @param state where to keep what was read and written
   * @param key kept there too
   * @param values values for parameters
   * @param kernels which kernels the classes have
   * @param check whether to write nothing
   * @param pedantic whether findings are shown that are often no mistakes
   * @param format how findings are shown
   */
  public record Settings(
      Path root,
      String prefix,
      Path out,
      Optional<Path> state,
      String key,
      Map<String, Expression> values,
      KernelKind kernels,
      boolean check,
      boolean pedantic,
      Format format) {}

  public TreeGenerator(Output output, Settings settings) {
    this.output = output;
    this.settings = settings;
  }

  /** Shows what is wrong; writes if nothing is. Returns the exit code. */
  public int run() {
    List<SpecFile> specs = new ArrayList<>();
    Set<Diagnostic> findings = new LinkedHashSet<>();
    Set<String> read = new TreeSet<>();
    for (String file : Specs.tree(settings.root())) {
      SpecFile spec = Specs.load(file, settings.pedantic(), List.of(settings.root()));
      specs.add(spec);
      findings.addAll(spec.diagnostics());
      findings.addAll(spec.experimentDiagnostics());
      for (SourceFile source : spec.compilation().sources()) {
        if (!source.path().startsWith("align:")) {
          read.add(source.path());
        }
      }
    }
    List<Diagnostic> all = List.copyOf(findings);
    output.out().print(settings.format().renderer(output.outPalette()).render(all));
    output.out().flush();
    if (all.stream().anyMatch(Diagnostic::isError)) {
      output.note(Summary.of(all).text());
      return ExitCode.FINDINGS;
    }
    if (!settings.check()) {
      write(specs, read);
    }
    return ExitCode.CLEAN;
  }

  private void write(List<SpecFile> specs, Set<String> read) {
    List<JavaSources.Unit> units = new ArrayList<>();
    List<CheckedObjective> objectives = new ArrayList<>();
    for (SpecFile spec : specs) {
      String name = name(spec);
      for (CheckedObjective objective :
          JavaGenerator.objectives(spec.named(name), Optional.empty(), settings.values())) {
        objectives.add(objective);
        units.add(new JavaSources.Unit(objective, packageOf(name), settings.kernels()));
      }
    }
    JavaGenerator.requireTaken(objectives, settings.values());
    try {
      List<JavaSources.Written> written = JavaSources.write(units, settings.out());
      int pruned = 0;
      if (settings.state().isPresent()) {
        BuildState state = new BuildState(settings.state().get(), settings.out());
        List<Path> files = written.stream().map(JavaSources.Written::file).toList();
        pruned = state.prune(files);
        state.write(settings.key(), read, files);
      }
      long changed = written.stream().filter(JavaSources.Written::changed).count();
      output.note(
          "%s, %s: %d written, %d unchanged, %d deleted"
              .formatted(
                  Summary.counted(specs.size(), "spec"),
                  Summary.counted(units.size(), "objective"),
                  changed,
                  written.size() - changed,
                  pruned));
    } catch (IllegalArgumentException e) {
      throw new UserError(String.valueOf(e.getMessage()));
    } catch (IOException e) {
      throw new UserError("`" + settings.out() + "` cannot be written: " + SourceFolder.reason(e));
    }
  }

  /** The name of a spec in its tree, with forward slashes. */
  private String name(SpecFile spec) {
    return settings.root().relativize(Path.of(spec.source().path())).toString().replace('\\', '/');
  }

  private String packageOf(String name) {
    int slash = name.lastIndexOf('/');
    String folders = slash < 0 ? "" : name.substring(0, slash).replace('/', '.');
    String prefix = settings.prefix();
    String all = prefix.isEmpty() || folders.isEmpty() ? prefix + folders : prefix + "." + folders;
    if (all.isEmpty()) {
      throw new UserError(
          "`%s` lies directly in `%s`, so that its class would have no package: move it into a folder such as `com/example`, or give the package"
              .formatted(name, settings.root()));
    }
    return all;
  }
}
