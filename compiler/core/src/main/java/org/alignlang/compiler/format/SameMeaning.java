package org.alignlang.compiler.format;

import java.lang.reflect.Method;
import java.util.Iterator;
import java.util.List;
import org.alignlang.compiler.ast.Components;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.Span;

/** Whether two syntax trees say the same, wherever their parts stand. */
final class SameMeaning {
  private SameMeaning() {}

  static boolean same(Object a, Object b) {
    if (a instanceof Span && b instanceof Span
        || a instanceof SourceFile && b instanceof SourceFile) {
      return true;
    }
    if (a instanceof List<?> first && b instanceof List<?> second) {
      if (first.size() != second.size()) {
        return false;
      }
      Iterator<?> other = second.iterator();
      return first.stream().allMatch(item -> same(item, other.next()));
    }
    if (a instanceof java.util.Optional<?> first && b instanceof java.util.Optional<?> second) {
      return first.isPresent() == second.isPresent()
          && (first.isEmpty() || same(first.get(), second.get()));
    }
    if (!(a instanceof Record) || !a.getClass().equals(b.getClass())) {
      return a.equals(b);
    }
    for (Method component : Components.of(a.getClass())) {
      if (!same(value(component, a), value(component, b))) {
        return false;
      }
    }
    return true;
  }

  private static Object value(Method component, Object record) {
    try {
      return component.invoke(record);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("no component " + component, e);
    }
  }
}
