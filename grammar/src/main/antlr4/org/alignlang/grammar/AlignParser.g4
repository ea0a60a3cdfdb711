// The Align language. No decision looks past an expression, so that parsing stays linear. Precedence of operators, loosest first:
//   if-then-else; when; or; and; not; comparison (does not chain); + -; * /; unary -; ^ (right); postfix.
parser grammar AlignParser;

options { tokenVocab = AlignLexer; }

module : importDeclaration* declaration* EOF ;

// A value given from outside, as on a command line.
soleExpression : expression EOF ;

importDeclaration
  : IMPORT (modulePath | path=TEXT) (AS alias=name)?
  ;

modulePath : word (DOT word)* ;

declaration
  : divergenceDeclaration
  | functionDeclaration
  | estimatorDeclaration
  | objectiveDeclaration
  | experimentDeclaration
  ;

divergenceDeclaration
  : DIVERGENCE name parameters? LBRACE function=name LPAREN variable=name RPAREN ASSIGN expression RBRACE
  ;

functionDeclaration
  : FUN name parameters (ASSIGN expression | LBRACE letStatement* expression RBRACE)
  ;

estimatorDeclaration
  : ESTIMATOR name parameters? FOR reward=name COLON type LBRACE estimatorStatement* RBRACE
  ;

estimatorStatement
  : letStatement                # estimatorLet
  | EXPECTATION expression      # estimatorExpectation
  | SURROGATE expression        # estimatorSurrogate
  | ENUMERATE name              # estimatorEnumerate
  ;

objectiveDeclaration
  : OBJECTIVE name parameters? LBRACE objectiveStatement* RBRACE
  ;

// The constraints end as soon as a statement can begin: `pairs a > b` after them is no constraint.
objectiveStatement
  : role=(POLICY | REFERENCE | TEACHER | BEHAVIOR) name (ASSIGN expression)?   # actorStatement
  | column=(REWARD | FEATURE | LEARN) name (COLON type)? (ASSIGN expression)?  # columnStatement
  | PAIRS chosen=name GREATER rejected=name                                    # pairsStatement
  | LABELLED name (COLON type)?                                                # labelledStatement
  | SAMPLE name (COMMA name)* TILDE actor=name                                  # sampleStatement
  | RANKED name LBRACKET NUMBER RBRACKET                                       # rankedStatement
  | PREFERENCE name LPAREN left=name GREATER right=name RPAREN                 # preferenceStatement
  | STATE name ASSIGN next=expression FROM initial=expression                  # stateStatement
  | GROUP BY name                                                              # groupStatement
  | letStatement                                                               # objectiveLet
  | TARGET name LPAREN sequence=name RPAREN TILDE expression                   # targetStatement
  | sense=(MAXIMIZE | MINIMIZE) expression                                     # senseStatement
  | SUBJECT TO constraint+?                                                    # constraintStatement
  | ESTIMATE WITH expression                                                   # estimateStatement
  | METRIC name ASSIGN expression                                              # metricStatement
  ;

letStatement : LET name parameters? ASSIGN expression ;

constraint
  : expression
    (MULTIPLIER multiplier=name (LPAREN arguments? RPAREN)? | BY method=name (LPAREN arguments? RPAREN)?)?
  ;

experimentDeclaration
  : EXPERIMENT name LBRACE experimentStatement* RBRACE
  ;

experimentStatement
  : RECORD recorded (COMMA recorded)*                                  # recordStatement
  | PLOT expression AGAINST expression (BY word)? TEXT?                # plotStatement
  | EXPECT claim (WHERE expression)? TEXT?                             # expectStatement
  | CONTROL TEXT LBRACE (settings+=setting)* RBRACE                    # controlStatement
  | setting                                                            # settingStatement
  ;

setting : word expression ;

recorded : name ASSIGN expression ;

claim
  : left=expression (WITHIN tolerance=expression (OF right=expression)?)?
  ;

parameters : LPAREN (parameter (COMMA parameter)*)? RPAREN ;
parameter  : name (COLON type)? (ASSIGN expression)? ;
type       : name (LBRACKET NUMBER RBRACKET)? (AT level=name)? ;

arguments : argument (COMMA argument)* ;
// `in = reward` places a term: there the keyword is a value, which it is nowhere else.
argument
  : word ASSIGN placement=REWARD
  | (word ASSIGN)? expression (AGAINST_BAR expression)?
  ;

expression
  : (LPAREN | LINE_LPAREN) expression RPAREN                          # parenthesized
  | expression DOT word                                               # member
  | expression LPAREN arguments? RPAREN                               # call
  | expression LBRACKET expression (COMMA expression)* RBRACKET       # index
  | expression ACCEPT name TEXT?                                      # accepted
  | <assoc=right> expression POWER expression                         # power
  | MINUS expression                                                  # negated
  | expression operator=(TIMES | DIVIDE) expression                   # product
  | expression operator=(PLUS | MINUS) expression                     # total
  | expression operator=(LESS | LESS_EQUAL | GREATER | GREATER_EQUAL | EQUAL | NOT_EQUAL) expression # comparison
  | NOT expression                                                    # negation
  | expression AND expression                                         # conjunction
  | expression OR expression                                          # disjunction
  | expression WHEN expression                                        # gated
  | IF expression THEN expression ELSE expression                     # conditional
  | NUMBER PERCENT?                                                   # number
  | TEXT                                                              # text
  | value=(TRUE | FALSE)                                              # truth
  | (LBRACKET | LINE_LBRACKET) (expression (COMMA expression)*)? RBRACKET # list
  | name                                                              # reference
  ;

// What an expression or declaration may be called: keywords that cannot begin a statement where an
// expression could stand are free to be names.
name
  : NAME | AS | AT | OF | TO | AGAINST | WITHIN | GROUP | TARGET | PAIRS | OBJECTIVE | LEARN | SAMPLE
  | STATE | FROM | RANKED | PREFERENCE | CONTROL
  ;

// After a dot, before `=` in arguments and at the start of a setting, every word is a name.
word
  : name | BY | POLICY | REFERENCE | TEACHER | BEHAVIOR | REWARD | FEATURE | LABELLED | MULTIPLIER
  | DIVERGENCE | ESTIMATOR | EXPERIMENT | WITH | METRIC | SURROGATE | EXPECTATION
  | SUBJECT | ESTIMATE | ENUMERATE | MAXIMIZE | MINIMIZE | FOR | ACCEPT | LET
  ;
