package org.alignlang.compiler.emit;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.alignlang.compiler.ast.Components;
import org.alignlang.compiler.ast.Module;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.Span;

/**
 * Prints a syntax tree: a line for each node with its plain components and its span, and its parts
 * indented below. It reads the records' own components, so that it shows all there is, always.
 */
public final class TreePrinter {
  private final StringBuilder text = new StringBuilder();

  private TreePrinter() {}

  public static String print(Module module) {
    TreePrinter printer = new TreePrinter();
    module.imports().forEach(i -> printer.node("", "", i));
    module.declarations().forEach(d -> printer.node("", "", (Record) d));
    return printer.text.toString();
  }

  /** A component of a node that is a part of the tree itself, or several of them. */
  private record Part(String name, List<Record> nodes, boolean list) {}

  private void node(String indent, String label, Record node) {
    text.append(indent).append(label).append(node.getClass().getSimpleName());
    List<Part> parts = new ArrayList<>();
    String place = "";
    for (Method component : Components.of(node.getClass())) {
      Object value = value(component, node);
      switch (value) {
        case Span span -> place = component.getName().equals("span") ? place(span) : place;
        case Record part -> parts.add(new Part(component.getName(), List.of(part), false));
        case Optional<?> optional -> optional(component.getName(), optional, parts);
        case List<?> list -> list(component.getName(), list, parts);
        default -> plain(component.getName(), value);
      }
    }
    text.append(place).append('\n');
    for (Part part : parts) {
      if (part.list()) {
        text.append(indent).append("  ").append(part.name()).append('\n');
        part.nodes().forEach(n -> node(indent + "    ", "", n));
      } else {
        node(indent + "  ", part.name() + ": ", part.nodes().getFirst());
      }
    }
  }

  private static Object value(Method component, Record node) {
    try {
      return component.invoke(node);
    } catch (IllegalAccessException | InvocationTargetException e) {
      throw new IllegalStateException(e);
    }
  }

  private void optional(String name, Optional<?> optional, List<Part> parts) {
    optional.ifPresent(value -> {
      switch (value) {
        case Record part -> parts.add(new Part(name, List.of(part), false));
        case List<?> list -> list(name, list, parts);
        default -> plain(name, value);
      }
    });
  }

  private void list(String name, List<?> list, List<Part> parts) {
    if (!list.stream().allMatch(Record.class::isInstance)) {
      plain(name, list);
      return;
    }
    List<Record> nodes = list.stream().map(Record.class::cast).toList();
    if (!nodes.isEmpty()) {
      parts.add(new Part(name, nodes, true));
    }
  }

  private void plain(String name, Object value) {
    switch (value) {
      case String s when s.isEmpty() -> {}
      case String s when name.equals("name") -> text.append(' ').append(s);
      case String s -> text.append(' ').append(name).append('=').append(quoted(s));
      case Double number when name.equals("value") -> text.append(' ').append(number);
      case Boolean truth when !name.equals("value") -> text.append(truth ? " " + name : "");
      default -> text.append(' ').append(name).append('=').append(value);
    }
  }

  private static String quoted(String s) {
    return '"' + s.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
  }

  private static String place(Span span) {
    SourceFile source = span.source();
    return "  [%d:%d-%d:%d]"
        .formatted(
            source.line(span.start()),
            source.column(span.start()),
            source.line(span.end()),
            source.column(span.end()));
  }
}
