package org.alignlang.compiler.codegen.api;

import com.palantir.javapoet.ArrayTypeName;
import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.CodeBlock;
import com.palantir.javapoet.FieldSpec;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.ParameterizedTypeName;
import com.palantir.javapoet.TypeName;
import com.palantir.javapoet.TypeSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import javax.lang.model.element.Modifier;
import org.alignlang.compiler.codegen.JavaText;
import org.alignlang.kernel.Argument;
import org.alignlang.kernel.Arguments;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Column;
import org.alignlang.kernel.EvaluationException;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;

/** The class of an objective's inputs, with a builder that has one method per argument. */
final class InputTypes {
  private static final TypeName DOUBLES = ArrayTypeName.of(TypeName.DOUBLE);
  private static final TypeName FLOATS = ArrayTypeName.of(TypeName.FLOAT);
  private static final TypeName INTS = ArrayTypeName.of(TypeName.INT);
  private static final TypeName TRUTHS = ArrayTypeName.of(TypeName.BOOLEAN);

  private final Signature signature;
  private final ClassName inputs;
  private final ClassName builder;
  private final List<Entry> entries = new ArrayList<>();

  /**
   * An argument with what is said of it.
   *
   * @param input the input that it is, where it is one
   */
  private record Entry(Argument argument, List<Signature.Input> input, String document) {}

  InputTypes(Signature signature, Places places, ClassName owner) {
    this.signature = signature;
    inputs = owner.nestedClass("Inputs");
    builder = inputs.nestedClass("Builder");
    Set<String> taken = ApiNames.members();
    for (String sequence : signature.sequences()) {
      if (hasTokens(sequence)) {
        add(
            taken,
            Argument.Kind.LENGTHS,
            sequence,
            several() ? sequence + ".lengths" : "lengths",
            places.sequences(),
            "How many tokens each row%s has: one number per row."
                .formatted(several() ? " of {@code " + sequence + "}" : ""));
      }
    }
    if (signature.grouped()) {
      add(
          taken,
          Argument.Kind.GROUPS,
          "",
          "groups",
          places.groups(),
          "Which prompt each row belongs to: one number per row, the same for rows of one prompt."
              + (signature.enumerated() ? " The rows of each must be all of its responses." : ""));
    }
    boolean vocabulary =
        signature.inputs().stream()
            .anyMatch(i -> i.level() == Level.VOCAB || i.role() == Signature.Role.TOKENS);
    if (vocabulary) {
      add(
          taken,
          Argument.Kind.VOCABULARY,
          "",
          "vocabulary",
          places.sequences(),
          "How many entries the vocabulary has.");
    }
    for (Signature.Input input : signature.inputs()) {
      boolean tokens = input.role() == Signature.Role.TOKENS;
      Argument.Kind kind = tokens ? Argument.Kind.TOKENS : Argument.Kind.COLUMN;
      entries.add(
          new Entry(
              new Argument(
                  kind,
                  tokens ? input.sequence() : input.name(),
                  JavaText.unique(JavaText.variable(input.name()), taken),
                  places.input(input)),
              List.of(input),
              describe(input)));
    }
  }

  private void add(
      Set<String> taken,
      Argument.Kind kind,
      String key,
      String wanted,
      String place,
      String document) {
    String name = JavaText.unique(JavaText.variable(wanted), taken);
    entries.add(new Entry(new Argument(kind, key, name, place), List.of(), document));
  }

  private boolean several() {
    return signature.sequences().size() > 1;
  }

  private boolean hasTokens(String sequence) {
    return signature.measured()
        || signature.inputs().stream()
            .anyMatch(i ->
                i.sequence().equals(sequence)
                    && (i.level() == Level.TOKEN || i.level() == Level.VOCAB));
  }

  /** What rows are. */
  String rowsAre() {
    return signature.sequences().equals(List.of("chosen", "rejected")) ? "pairs" : "rows";
  }

  /** A call of each method of the builder, for an example. */
  List<String> setters() {
    return entries.stream()
        .filter(e -> e.input().stream().noneMatch(i -> signature.stateOf(i).isPresent()))
        .map(e -> "%1$s(%1$s)".formatted(e.argument().name()))
        .toList();
  }

  private String describe(Signature.Input input) {
    String of =
        input.sequence().isEmpty() || !several()
            ? ""
            : " of {@code " + JavaText.javadoc(input.sequence()) + "}";
    String actor = "{@code " + JavaText.javadoc(input.actor()) + "}";
    String members =
        input.members() > 0 ? " and each of " + input.members() + " members, side by side" : "";
    String per =
        switch (input.level()) {
          case BATCH -> "one number";
          case GROUP -> "one number per group";
          case PAIR -> "one number per pair";
          case SEQUENCE -> "one number per row" + of;
          case TOKEN -> "one number per token" + of + ", row after row";
          case VOCAB -> "one number per token" + of + " and entry of the vocabulary, row after row";
        };
    String what =
        switch (input.role()) {
          case LOG_PROBABILITY ->
              "Log-probability of each taken token under " + actor + ", in nats: " + per;
          case LOGITS -> "Logits of " + actor + ": " + per;
          case TOKENS -> "The taken tokens, numbers of the vocabulary: " + per;
          case LEARNED ->
              "What the trained block {@code "
                  + JavaText.javadoc(Signature.block(input))
                  + "} gives: "
                  + per;
          case COLUMN ->
              "{@code "
                  + JavaText.javadoc(input.name())
                  + "}, at "
                  + input.level().word()
                  + " level: "
                  + per;
        };
    String state =
        signature
            .stateOf(input)
            .map(s ->
                " At first it is "
                    + s.initial()
                    + ", and may be left out; later it is the"
                    + " metric {@code "
                    + JavaText.javadoc(s.name())
                    + "} of the step before.")
            .orElse("");
    return what + members + "." + (input.trained() ? " Its gradient is computed." : "") + state;
  }

  /** The table of the arguments, for messages. */
  FieldSpec arguments() {
    List<CodeBlock> all =
        entries.stream()
            .map(Entry::argument)
            .map(a ->
                CodeBlock.of(
                    "new $T($T.$L, $L, $S, $L)",
                    Argument.class,
                    Argument.Kind.class,
                    a.kind().name(),
                    JavaText.text(a.key()),
                    a.name(),
                    JavaText.text(a.place())))
            .toList();
    return FieldSpec.builder(
            ParameterizedTypeName.get(List.class, Argument.class),
            "ARGUMENTS",
            Modifier.PRIVATE,
            Modifier.STATIC,
            Modifier.FINAL)
        .addJavadoc("What is handed in, and where the spec declares it.\n")
        .initializer("$T.of($>$>\n$L)$<$<", List.class, CodeBlock.join(all, ",\n"))
        .build();
  }

  TypeSpec type() {
    return TypeSpec.classBuilder(inputs.simpleName())
        .addModifiers(Modifier.PUBLIC, Modifier.STATIC, Modifier.FINAL)
        .addJavadoc(
            "The inputs of one call, of the right shapes. Arrays and memory are read where they"
                + " are, not copied, and must not change during a call.\n")
        .addField(Batch.class, "batch", Modifier.PRIVATE, Modifier.FINAL)
        .addMethod(
            MethodSpec.constructorBuilder()
                .addModifiers(Modifier.PRIVATE)
                .addParameter(Batch.class, "batch")
                .addStatement("this.batch = batch")
                .build())
        .addMethod(
            MethodSpec.methodBuilder("batch")
                .addJavadoc("The same inputs by the names of tensors.\n")
                .addModifiers(Modifier.PUBLIC)
                .returns(Batch.class)
                .addStatement("return batch")
                .build())
        .addType(builderType())
        .build();
  }

  private TypeSpec builderType() {
    TypeSpec.Builder type =
        TypeSpec.classBuilder(builder.simpleName())
            .addModifiers(Modifier.PUBLIC, Modifier.STATIC, Modifier.FINAL)
            .addJavadoc(
                "Collects inputs, in any order. Memory outside the heap, buffers and half precision"
                    + " come as a {@link Column}: {@code Column.of(buffer)}.\n")
            .addField(Arguments.class, "arguments", Modifier.PRIVATE, Modifier.FINAL)
            .addMethod(
                MethodSpec.constructorBuilder()
                    .addModifiers(Modifier.PRIVATE)
                    .addParameter(int.class, "rows")
                    .addStatement("arguments = new $T(SIGNATURE, ARGUMENTS, rows)", Arguments.class)
                    .build());
    for (Entry entry : entries) {
      Argument argument = entry.argument();
      CodeBlock key = JavaText.text(argument.key());
      String name = argument.name();
      switch (argument.kind()) {
        case LENGTHS ->
            type.addMethod(setter(entry, INTS, CodeBlock.of("lengths($L, $L)", key, name)));
        case TOKENS ->
            type.addMethod(setter(entry, INTS, CodeBlock.of("tokens($L, $L)", key, name)));
        case GROUPS -> type.addMethod(setter(entry, INTS, CodeBlock.of("groups($L)", name)));
        case VOCABULARY ->
            type.addMethod(setter(entry, TypeName.INT, CodeBlock.of("vocabulary($L)", name)));
        case COLUMN -> columns(type, entry, key, name);
      }
    }
    type.addMethod(
        MethodSpec.methodBuilder("build")
            .addJavadoc(
                "The inputs.\n\n"
                    + "@throws $T if one is missing, has another shape than belongs there, or holds"
                    + " what cannot be; the message names it and its line in the spec\n",
                EvaluationException.class)
            .addModifiers(Modifier.PUBLIC)
            .returns(inputs)
            .addStatement("return new $T(arguments.build())", inputs)
            .build());
    return type.build();
  }

  private void columns(TypeSpec.Builder type, Entry entry, CodeBlock key, String name) {
    Signature.Input input = entry.input().getFirst();
    if (input.level() == Level.BATCH && input.members() == 0) {
      type.addMethod(setter(entry, TypeName.DOUBLE, CodeBlock.of("number($L, $L)", key, name)));
      return;
    }
    CodeBlock wrapped = CodeBlock.of("column($L, $T.of($L))", key, Column.class, name);
    if (input.name().equals("label")) {
      type.addMethod(setter(entry, TRUTHS, CodeBlock.of("truths($L, $L)", key, name)));
    }
    type.addMethod(setter(entry, DOUBLES, wrapped));
    type.addMethod(setter(entry, FLOATS, wrapped));
    type.addMethod(
        setter(entry, TypeName.get(Column.class), CodeBlock.of("column($L, $L)", key, name)));
  }

  private MethodSpec setter(Entry entry, TypeName of, CodeBlock call) {
    return MethodSpec.methodBuilder(entry.argument().name())
        .addJavadoc("$L\n", entry.document())
        .addModifiers(Modifier.PUBLIC)
        .addParameter(of, entry.argument().name())
        .returns(builder)
        .addStatement("arguments.$L", call)
        .addStatement("return this")
        .build();
  }
}
