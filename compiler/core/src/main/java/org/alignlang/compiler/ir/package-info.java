/** The checked graph: values at levels, built through one door that refuses ill-typed nodes. */
@NullMarked
package org.alignlang.compiler.ir;

import org.jspecify.annotations.NullMarked;
