/**
 * Inner loops in single precision, over tokens and vocabulary, for the back ends {@code vector} and
 * {@code jvm}: what they compute is written once, as a {@link
 * org.alignlang.compiler.codegen.single.LoopBody}, and how is one of its two kinds.
 */
@NullMarked
package org.alignlang.compiler.codegen.single;

import org.jspecify.annotations.NullMarked;
