package org.alignlang.conformance.generated;

import static org.assertj.core.api.Assertions.assertThat;

import com.palantir.javapoet.JavaFile;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.classfile.constantpool.InvokeDynamicEntry;
import java.lang.classfile.constantpool.MemberRefEntry;
import java.lang.classfile.constantpool.MethodHandleEntry;
import java.lang.classfile.constantpool.PoolEntry;
import java.lang.reflect.AccessFlag;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiFunction;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.JvmBackEnd;
import org.alignlang.compiler.codegen.VectorBackEnd;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.conformance.StandardObjectives;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What a generated kernel can do: arithmetic, and what the runtime gives to kernels. Every class
 * file is walked: it refers to nothing that reads a file, opens a connection, loads a class, starts
 * a thread or a program, or looks at anything but its batch.
 */
class GeneratedClassesTest {
  /** What kernels of every back end may refer to, as {@code owner.member}. */
  private static final List<String> ARITHMETIC =
      List.of(
          "java/lang/Math\\.[a-z]\\w*",
          "java/lang/StrictMath\\.[a-z]\\w*",
          "java/lang/Double\\.(isNaN|isFinite|isInfinite|compare)",
          "java/lang/Object\\.<init>",
          "java/util/List\\.of",
          "java/util/Map\\.of",
          "java/lang/Double\\.valueOf",
          "java/lang/(Float\\.intBitsToFloat|Integer\\.TYPE)",
          "java/util/Arrays\\.fill",
          // The runtime's own classes for kernels, which compute and hold data.
          "org/alignlang/kernel/(?!AlignVersion)[\\w$]+\\.[\\w<>]+");

  /** Method references, such as the task that is given to the workers. */
  private static final List<String> BOOTSTRAPS =
      List.of("java/lang/invoke/LambdaMetafactory\\.metafactory");

  /** What a back end generates, and what its kernels may refer to besides. */
  private record Generator(
      String name, BiFunction<CheckedObjective, String, JavaFile> source, List<String> besides) {
    @Override
    public String toString() {
      return name;
    }
  }

  /** Every back end that generates Java. */
  static Stream<Generator> generators() {
    return Stream.of(
        new Generator("jvm", JvmBackEnd::source, List.of()),
        new Generator("jvm in single precision", JvmBackEnd::singleSource, List.of()),
        new Generator(
            "vector",
            VectorBackEnd::source,
            List.of(
                "jdk/incubator/vector/[\\w$]+\\.\\w+", "java/lang/foreign/MemorySegment\\.\\w+")));
  }

  @ParameterizedTest
  @MethodSource("generators")
  void kernelsOnlyCompute(Generator generator) {
    Map<String, CheckedObjective> objectives = new LinkedHashMap<>();
    List<StandardObjectives.Variant> library = StandardObjectives.all();
    for (int i = 0; i < library.size(); i++) {
      // With logits in place of log-probabilities much is the same: a third of those will do.
      if (!library.get(i).name().endsWith("from logits") || i % 3 == 0) {
        objectives.put(library.get(i).name(), library.get(i).simplified());
      }
    }
    for (long seed = 1; seed <= 12; seed++) {
      SpecGenerator.Spec spec = SpecGenerator.of(seed, 3);
      Compilation compilation =
          Compiler.compile(
              new SourceFile("generated.align", spec.text()), CompilerOptions.defaults());
      assertThat(compilation.diagnostics()).noneMatch(Diagnostic::isError);
      objectives.put("seed " + seed, compilation.objectives().getFirst());
    }
    Set<String> found = new TreeSet<>();
    List<CheckedObjective> all = List.copyOf(objectives.values());
    Map<String, byte[]> classes =
        KernelsTogether.classFiles(
            all,
            (objective, number) -> generator.source.apply(objective, "generated.number" + number));
    assertThat(classes).hasSizeGreaterThan(2 * all.size() - 1);
    classes.forEach((name, bytes) -> found.addAll(references(bytes)));
    List<Pattern> allowed =
        Stream.of(ARITHMETIC, BOOTSTRAPS, generator.besides)
            .flatMap(List::stream)
            .map(Pattern::compile)
            .toList();
    assertThat(found)
        .filteredOn(reference -> !reference.startsWith("generated/"))
        .allMatch(reference -> allowed.stream().anyMatch(p -> p.matcher(reference).matches()));
    // The walk sees what there is.
    assertThat(found)
        .contains("java/lang/Math.exp", "org/alignlang/kernel/Batch.column")
        .anyMatch(reference -> reference.startsWith("org/alignlang/kernel/Reductions."));
  }

  /** Everything that a class refers to by name; and its own shape, which is plain. */
  static Set<String> references(byte[] bytes) {
    Set<String> found = new TreeSet<>();
    ClassModel model = ClassFile.of().parse(bytes);
    assertThat(model.superclass().orElseThrow().asInternalName()).isEqualTo("java/lang/Object");
    assertThat(model.interfaces().stream().map(ClassEntry::asInternalName))
        .allMatch("org/alignlang/kernel/ObjectiveKernel"::equals);
    for (MethodModel method : model.methods()) {
      assertThat(method.flags().has(AccessFlag.NATIVE)).isFalse();
      assertThat(method.flags().has(AccessFlag.SYNCHRONIZED)).isFalse();
    }
    for (PoolEntry entry : model.constantPool()) {
      switch (entry) {
        case MemberRefEntry member ->
            found.add(member.owner().asInternalName() + "." + member.name().stringValue());
        case InvokeDynamicEntry dynamic -> found.add(handle(dynamic.bootstrap().bootstrapMethod()));
        case MethodHandleEntry handle -> found.add(handle(handle));
        default -> {}
      }
    }
    return found;
  }

  private static String handle(MethodHandleEntry handle) {
    MemberRefEntry member = handle.reference();
    return member.owner().asInternalName() + "." + member.name().stringValue();
  }
}
