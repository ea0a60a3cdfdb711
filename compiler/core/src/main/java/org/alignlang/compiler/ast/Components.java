package org.alignlang.compiler.ast;

import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.List;

/** The accessors of the parts of syntax trees, for what treats all nodes alike. */
public final class Components {
  /** Asked anew, reflection would find and prepare them again for every node. */
  private static final ClassValue<List<Method>> ACCESSORS =
      new ClassValue<>() {
        @Override
        protected List<Method> computeValue(Class<?> type) {
          return Arrays.stream(type.getRecordComponents())
              .map(RecordComponent::getAccessor)
              .toList();
        }
      };

  private Components() {}

  /** The accessors of a record's components, in the order declared. */
  public static List<Method> of(Class<?> type) {
    return ACCESSORS.get(type);
  }
}
