import { stem } from './tokenize.ts';

/** Words that manuals of appliances and electronics use for one another; each line is a group. */
const GROUPS = `
delete remove erase clear
change edit modify alter adjust
adjust configure customize tune
change switch
start launch open run begin
stop cancel end quit exit
stop cancel
fix repair resolve solve troubleshoot correct
problem issue trouble error fault malfunction
broken damaged defective faulty
enable activate
disable deactivate
see view watch
find search locate
show display appear
check verify confirm inspect test
choose select pick
connect attach link plug
disconnect detach unplug
pair connect
install setup
picture image
picture screen
screen display
monitor screen
sound audio
sound volume noise
loud noise noisy
tv television
phone mobile smartphone
computer pc laptop
internet network web
wifi wireless wlan
router modem
app application
program programme show
remote controller
button key
cable cord wire lead
power electricity
plug socket outlet
clean wash wipe
cleaning maintenance care
descale limescale decalcify
store save
storage memory
usb flash
settings preferences
option setting
menu list
password pin passcode code
lock block
unlock unblock
parental child kids children
language english
subtitle caption
captions subtitles
time clock
timer schedule
date day
update upgrade
firmware software
register add
add insert
sign log
account profile
user owner
guide manual instructions
manual handbook booklet
help support assistance
warranty guarantee
service repair
requirement prerequisite required
precaution warning caution
hot heat overheat warm
cold cool
fast quick rapid
slow slowly
big large enlarge increase
small reduce decrease
increase raise
decrease lower reduce
bright brightness
dark dim dimming
color colour
blurry blur blurring
flicker flickering
rotate turn spin
move reorder rearrange
copy duplicate
rename name
mode setting
type kind
feature function
use usage
benefit advantage
meaning mean definition
size dimension
measure measurement
fill refill
empty drain
water liquid
leak leaking drip
filter strainer
door lid cover
tray drawer
battery accumulator
charge charging recharge
empty flat
replace exchange change swap
discard dispose recycle
mount install hang
wall bracket
stand base foot
headphone earphone headset
speaker loudspeaker
microphone mic
camera webcam
photo picture
photograph photo
film movie
movie video
song music
broadcast transmission
channel station
record recording
play playback
pause hold
rewind backward
forward skip
mute silence
reset restore
factory default
restart reboot
screenshot capture
print printing
scan scanning
paper sheet
ink cartridge
jam stuck
noise hum
smell odor odour
smoke burn
fire burn
danger hazard risk
child kid
blind impaired visually
deaf hearing
voice speech
speak say
hear listen
invert reverse
invert inversion
share sharing cast mirror
cast mirror stream
bluetooth wireless
energy power
save saving
sleep standby
signal reception
weak poor
message notification alert
notify notification
message error
weather forecast
location position place
position place
country region area
privacy policy
terms agreement
foam froth
drip leak
spin rotate
rinse flush
scrub clean
stain spot
dirt soil dust debris
lint fluff
clog block blocked obstruct
detergent soap powder
softener conditioner
laundry wash washing
dryer drying dry
defrost thaw
freeze freezer
fridge refrigerator
oven stove cooker
hob cooktop
microwave oven
kettle boiler
boil boiling
brew brewing
grind grinder
blade knife
bowl jug container
basket rack
hose pipe tube
tap faucet
valve knob
dial knob
knob control
lever handle
hinge joint
screw bolt
fuse breaker
ground earth
mains supply
voltage volt
adapter adaptor
extension extender
belt strap
wheel castor
engine motor
fan blower
vent ventilation
duct vent
thermostat temperature
temperature heat
humidity moisture
smell stink
rattle vibrate vibration
shake vibrate
squeak noise
beep chime tone
lamp light bulb
led light indicator
flash blink
icon symbol
label sticker
drawing diagram figure
part component
accessory attachment
spare replacement
weight heavy
capacity volume
length long
height high
width wide
age old
purchase buy
price cost
receipt invoice
dealer retailer
manufacturer maker
technician engineer
authorised authorized
maximum max
minimum min
frequency often
duration long
automatically automatic auto
manually manual
wirelessly wireless
remotely remote
synchronise synchronize sync
backup back
restore recover
import export
download install
upload transfer
transfer send
email mail
contact address
dial call
ring ringtone
answer reply
vibrate silent
airplane flight
brightness backlight
contrast sharpness
zoom magnify enlarge
focus sharp
lens optics
shutter exposure
flash light
crop cut
filter effect
folder directory
file document
sort arrange order
rearrange order
tray cassette
toner cartridge
align calibrate
duplex sided
jam blockage
wifi wlan
ssid network
ethernet lan
dvr recorder
antenna aerial
cable wired
satellite dish
tuner channel
guide listing epg
favorite favourite
bookmark favorite
playlist queue
track song
equalizer eq
bass treble
surround stereo
headphone earbud
pairing connect
forget unpair
range distance
interference disturbance
safety safe
danger dangerous
injury hurt
electrocution shock
shock electric
poison toxic
flammable combustible
emergency urgent
child infant baby
pet dog cat
allergy sensitive
certificate compliance
regulation rule
environment ecological eco
economy eco
consumption use
standby idle
wake awake
hibernate sleep
blackout outage
schedule plan
alarm alert
countdown timer
delay postpone
interval period
daily day
weekly week
monthly month
annual year yearly
turn switch
switch toggle
power mains
lightning thunderstorm storm
provider isp carrier operator
box package carton packaging
trash rubbish garbage waste bin
altitude elevation mountain
beep sound
gasket seal ring
rubber silicone
minimum least
amount quantity
username login credential
passphrase password key
visitor guest
limit restrict restriction
block filter deny
priority preference
console game
shop store dealer
hard tough firm
stick stuck adhere
spill overflow
sputter splash splatter
spoil perish perishable
scorch burn burnt
suitable permitted allowed safe
memorise memorize memory preset store save
random shuffle
repeat loop
title track song
illumination light lighting
close shut
grip handle
steam vapor vapour
pot pan vessel
cup mug
sear brown saute
sparkling carbonated fizzy gas
dispenser container
outdoors outside
abroad away remote remotely
stain mark discoloration discolouration
scratch scrape
carpet rug floor
crack cracked broken
hole opening
crumb residue
grease oil lubricate
sharpen sharp
tighten fasten screw
loosen undo unscrew
noise crackle
vibration wobble unstable
balance level
reach range
strength level intensity
thermal heat
freeze hang crash frozen
reboot restart
wake activate
unresponsive respond reaction
sync time
pouch bag case
carry transport
ship transport
bend kink fold
dent damage
underneath underside bottom
unclog unblock clog block free
wifi network ssid
talk speak voice announcement
noise noisy racket
streak stripe smear
area zone spot region
schedule timetable timer
monday tuesday wednesday thursday friday saturday sunday weekday
detect recognise recognize sense sensor identify
energy charge battery
dock base station cradle charger
tangle tangled wound wrap wrapped
remember store save memory memorise memorize
forget forgot lost
renew replace exchange
carpet mat
floor ground surface
tip tips hint advice recommendation
wobble shake unsteady
hose drain
weight load
sensitive fragile delicate
lamp indicator flash
sunlight sun
dryness dry
mould mold mildew
ice frost
odour stench
fall drop
climb slope stairs
screen touchscreen panel
glass pane window
timer alarm
heat heating warm
cool cooling fan
wind air airflow draft
cook bake roast
chill refrigerate
slice chop cut
mix stir blend knead
dough bread
hair fur
baby infant toddler
rear back
portion serving
ingredient food
ready done finished
pregnant pacemaker medical
supervise supervision attend unattended
immerse submerge dip
wet damp moist
earbud headphone
dusty dust
license licence
`;

const SYNONYMS: ReadonlyMap<string, readonly string[]> = readGroups();

/** Stems that may stand for this stem. */
export function synonymsOf(stemmed: string): readonly string[] {
  return SYNONYMS.get(stemmed) ?? [];
}

function readGroups(): Map<string, string[]> {
  const synonyms = new Map<string, Set<string>>();
  for (const line of GROUPS.trim().split('\n')) {
    const group = new Set(line.trim().split(/\s+/).map(stem));
    for (const member of group) {
      const others = synonyms.get(member) ?? new Set<string>();
      for (const other of group) if (other !== member) others.add(other);
      synonyms.set(member, others);
    }
  }
  return new Map(Array.from(synonyms, ([member, others]) => [member, [...others]]));
}
