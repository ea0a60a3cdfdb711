/** From an experiment declaration to a plan that the runtime can execute. */
@NullMarked
package org.alignlang.compiler.experiment;

import org.jspecify.annotations.NullMarked;
