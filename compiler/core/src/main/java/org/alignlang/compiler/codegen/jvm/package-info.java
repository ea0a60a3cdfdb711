/**
 * The back end for every JVM: straight-line Java that the JIT compiles well, written by JavaPoet.
 */
@NullMarked
package org.alignlang.compiler.codegen.jvm;

import org.jspecify.annotations.NullMarked;
