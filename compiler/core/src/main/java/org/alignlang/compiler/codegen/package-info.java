/** From graph to Java source: staging and emission. */
@NullMarked
package org.alignlang.compiler.codegen;

import org.jspecify.annotations.NullMarked;
